//  house.mjs - a real Usher on free ports and a real Chromium, for the tests beside this file
//
//  USHER_BIN names the folder with the programs, else USHER_BUILD the build folder, else it is build/.
//  CHROMIUM names the browser. What was started here is ended here, by its pid. Nothing sleeps: every
//  wait is for a condition and has a deadline.

import { execFile, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const BIN = resolve(
  ROOT,
  process.env.USHER_BIN ?? join(process.env.USHER_BUILD ?? "build", "bin"),
);
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const START_MS = 60_000;
const STOP_MS = 30_000;
const POLL_MS = 50;
const LOG_TAIL = 30; // lines shown of a house that did not start

const run = promisify(execFile);
const { chromium } = createRequire(join(ROOT, "frontends/package.json"))(
  "playwright-core",
);

//  Asks until the answer is neither false nor null nor undefined, and returns it. What is waited for is
//  named in the error, with the last error or what `seen` tells.
export async function waitUntil(what, ask, { ms = 15_000, seen } = {}) {
  const deadline = Date.now() + ms;
  let trouble = "";
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      trouble = "";
    } catch (error) {
      trouble = `: ${error.message}`;
    }
    if (Date.now() > deadline) {
      const picture = seen ? `; seen: ${JSON.stringify(await seen())}` : "";
      throw new Error(`not within ${ms} ms: ${what}${trouble}${picture}`);
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

//  As many free ports, all different: they are held together, then let go.
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((done, failed) => {
          const server = createServer().on("error", failed);
          server.listen(0, "127.0.0.1", () => done(server));
        }),
    ),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(
    servers.map((server) => new Promise((done) => server.close(done))),
  );
  return ports;
}

export class House {
  //  Starts everything and returns when the gateway says that it has caught up.
  static async start() {
    const house = new House();
    house.dir = await mkdtemp("/tmp/usher-"); // short: socket paths have 107 bytes at most
    const [feed, dashboard, tracker, collector] = await freePorts(4);
    house.ports = { feed, dashboard, tracker, collector };
    house.environment = {
      ...process.env,
      USHER_GATEWAY_PORT: String(feed),
      USHER_GATEWAY_DASHBOARD_PORT: String(dashboard),
      USHER_GATEWAY_TRACKER_PORT: String(tracker),
      USHER_COLLECTOR_PORT: String(collector),
    };
    const log = openSync(join(house.dir, "log"), "a");
    house.supervisor = spawn(join(BIN, "usher"), ["up", "--dir", house.dir], {
      cwd: house.dir, // no usher.yaml of the repository is picked up
      env: house.environment,
      stdio: ["ignore", log, log],
    });
    house.ended = new Promise((done) => {
      house.supervisor.on("exit", done);
      house.supervisor.on("error", done);
    });
    try {
      await waitUntil("Usher is ready", () => house.isReady(), {
        ms: START_MS,
      });
    } catch (error) {
      const tail = house.log().split("\n").slice(-LOG_TAIL).join("\n");
      await house.stop();
      throw new Error(`${error.message}\n${tail}`);
    }
    return house;
  }

  log() {
    return readFileSync(join(this.dir, "log"), "utf8");
  }

  async isReady() {
    return (await fetch(`http://127.0.0.1:${this.ports.feed}/readyz`)).ok;
  }

  //  Runs one verb of the command, as an operator does; returns what it printed.
  async usher(verb, ...words) {
    const argv = [verb, ...words, "--dir", this.dir];
    return (
      await run(join(BIN, "usher"), argv, {
        env: this.environment,
        cwd: this.dir,
      })
    ).stdout;
  }

  async viewer(id) {
    const answer = await fetch(
      `http://127.0.0.1:${this.ports.feed}/v1/viewers/${encodeURIComponent(id)}`,
    );
    return answer.ok ? answer.json() : null;
  }

  //  The rows of the table video_events of one viewer, oldest first.
  async storedRows(id) {
    const script = `
import json, sqlite3, sys
store = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
store.row_factory = sqlite3.Row
rows = store.execute("SELECT * FROM video_events WHERE viewer_id = ? ORDER BY collector_tstamp", sys.argv[2:])
print(json.dumps([dict(row) for row in rows]))`;
    const store = join(this.dir, "data/store.db");
    return JSON.parse((await run("python3", ["-c", script, store, id])).stdout);
  }

  trackerUrl(settings) {
    const collector = `http://127.0.0.1:${this.ports.collector}`;
    const asked = new URLSearchParams({
      collector,
      ping: "1",
      adAt: "0",
      ...settings,
    });
    return `http://127.0.0.1:${this.ports.tracker}/?${asked}`;
  }

  dashboardUrl(text = "") {
    return `http://127.0.0.1:${this.ports.dashboard}/?q=${encodeURIComponent(text)}`;
  }

  feedUrl() {
    return `ws://127.0.0.1:${this.ports.feed}/ws`;
  }

  //  Drains and stops; a supervisor that does not end in time is killed.
  async stop() {
    const late = setTimeout(() => this.supervisor.kill("SIGKILL"), STOP_MS);
    this.supervisor.kill("SIGTERM");
    const code = await this.ended;
    clearTimeout(late);
    await rm(this.dir, { recursive: true, force: true });
    return code;
  }
}

//  A browser with a profile of its own that is thrown away.
export function openBrowser() {
  return chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
