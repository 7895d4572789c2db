#!/bin/sh
#  make-film.sh - generate the two short films of the tracking page
#
#  Usage: make-film.sh [OUTPUT_DIR]      (default: ../public/films)
#
#  Both films are made from ffmpeg's own lavfi sources alone, so nobody else's
#  rights are in them: moving gradients, a title, a running clock, a soft chord.
#  VP9 and Opus in WebM, which every Chromium plays without extra codecs. Each
#  stays under 600 KB, because the films are committed: a build needs no ffmpeg.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-"$here/../public/films"}
seconds=60
rate=24
size=640x360
mkdir -p "$out"

#  film NAME TITLE SUBTITLE BACKGROUND GLOW CHORD
#  BACKGROUND and GLOW are options of the `gradients` source; GLOW is screened
#  over BACKGROUND. CHORD is an expression for `aevalsrc`.
film ()
{
    name=$1 title=$2 subtitle=$3 background=$4 glow=$5 chord=$6

    clock="%{eif\\:floor(t/60)\\:d\\:2}\\:%{eif\\:mod(t\\,60)\\:d\\:2}"
    intro="alpha='if(lt(t,0.5),t*2,if(lt(t,6),1,max(0,1-(t-6)/1.5)))'"
    outro="alpha='if(lt(t,54),0,min(1,(t-54)/1.5))'"
    text="drawtext=font=Sans:fontcolor=white:shadowcolor=black@0.35:shadowx=1:shadowy=1"
    mono="drawtext=font=Monospace:fontcolor=white@0.85:shadowcolor=black@0.35:shadowx=1:shadowy=1"

    ffmpeg -hide_banner -loglevel error -y \
        -f lavfi -i "gradients=s=$size:r=$rate:d=$seconds:$background" \
        -f lavfi -i "gradients=s=$size:r=$rate:d=$seconds:$glow" \
        -f lavfi -i "aevalsrc='$chord':s=48000:d=$seconds" \
        -filter_complex "
            [0:v]format=gbrp[a];
            [1:v]format=gbrp[b];
            [a][b]blend=all_mode=screen:all_opacity=0.6,gblur=sigma=6,vignette=PI/5,format=yuv420p,
            $text:fontsize=46:x=(w-tw)/2:y=h/2-50:text='$title':$intro,
            $text:fontsize=18:x=(w-tw)/2:y=h/2+14:text='$subtitle':$intro,
            $text:fontsize=34:x=(w-tw)/2:y=h/2-30:text='The End':$outro,
            $mono:fontsize=20:x=w-tw-22:y=h-40:text='$clock',
            fade=in:d=1,fade=out:st=58.5:d=1.5[v];
            [2:a]lowpass=f=1200,volume=0.5,afade=in:d=3,afade=out:st=56:d=4[s]" \
        -map '[v]' -map '[s]' \
        -c:v libvpx-vp9 -b:v 44k -maxrate 90k -crf 40 -g 96 -deadline good -cpu-used 4 -row-mt 1 \
        -c:a libopus -b:a 16k -ac 1 -application audio \
        -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact \
        "$out/$name.webm"
}

film aurora 'Aurora' 'sixty seconds of northern light' \
    "c0=0x04121f:c1=0x0b3d4f:c2=0x127a6b:c3=0x05233a:n=4:x0=0:y0=0:x1=640:y1=360:speed=0.012:type=linear" \
    "c0=0x3ddc97:c1=0x1b2a6b:c2=0x7b2ff7:c3=0x000000:n=4:x0=120:y0=300:x1=520:y1=20:speed=0.02:type=linear" \
    "0.12*sin(2*PI*110*t)*(1+0.3*sin(0.8*t))+0.09*sin(2*PI*164.8*t)*(1+0.3*sin(0.5*t))+0.07*sin(2*PI*220.5*t)*(1+0.5*sin(0.33*t))"

film embers 'Embers' 'a minute by the fire' \
    "c0=0x1a0508:c1=0x5c1a1b:c2=0xb3541e:c3=0x2b0d16:n=4:x0=0:y0=360:x1=640:y1=0:speed=0.014:type=linear" \
    "c0=0xffb347:c1=0x4a0d2e:c2=0xff5e62:c3=0x000000:n=4:x0=320:y0=340:x1=420:y1=40:speed=0.018:type=radial" \
    "0.12*sin(2*PI*98*t)*(1+0.3*sin(0.7*t))+0.09*sin(2*PI*146.8*t)*(1+0.3*sin(0.43*t))+0.07*sin(2*PI*196.4*t)*(1+0.5*sin(0.29*t))"

ls -l "$out"
