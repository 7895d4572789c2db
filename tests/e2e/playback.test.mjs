//  playback.test.mjs - from the play button in Chromium to the dashboard, the feed and the table
//
//  One Usher and one browser serve all cases; each case is a viewer of its own. Nothing is imitated: the
//  tracking page runs the Snowplow media plugin, the collector takes its requests, the dashboard is the
//  page that is delivered. The restart of the gateway comes last.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { House, openBrowser, waitUntil } from "./house.mjs";

const MEMBERS = [
  "viewer_id",
  "collector_tstamp",
  "event_id",
  "event_name",
  "video_ts",
  "adsClicked",
  "adsSkipped",
  "adId",
  "status",
];
const SOON_MS = 5_000; // the promise is a second; a loaded machine gets some more
const FIRST_AD = 4217;
const SECOND_AD = "spring-tide";

let house;
let browser;
let pages; // one context: the tabs of one person share cookies and storage

before(async () => {
  house = await House.start();
  browser = await openBrowser();
  pages = await browser.newContext({ viewport: { width: 1400, height: 900 } });
});

after(async () => {
  await browser?.close();
  const code = await house?.stop();
  assert.equal(code ?? 0, 0, "usher up ended badly");
});

//  ---- the pages

async function openTracker(user, settings = {}) {
  const page = await pages.newPage();
  await page.goto(house.trackerUrl({ user, ...settings }));
  return page;
}

async function openDashboard(text) {
  const page = await pages.newPage();
  await page.goto(house.dashboardUrl(text));
  await page.waitForSelector("[data-testid=connection][data-link=open]");
  return page;
}

//  A page as the reference's: a plain WebSocket that keeps what it was sent.
async function openFeed() {
  const page = await pages.newPage();
  await page.evaluate(
    (url) =>
      new Promise((done, failed) => {
        window.frames_ = [];
        const socket = new WebSocket(url);
        socket.onmessage = (event) => window.frames_.push(event.data);
        socket.onopen = done;
        socket.onerror = () => failed(new Error(`no connection to ${url}`));
      }),
    house.feedUrl(),
  );
  const frames = () => page.evaluate(() => window.frames_);
  return {
    frames,
    of: async (user) =>
      (await frames())
        .map((text) => JSON.parse(text))
        .filter((message) => message.viewer_id === user),
    close: () => page.close(),
  };
}

const press = (page, id) => page.getByTestId(id).click();
const row = (page, user) => page.getByTestId(`row-${user}`);

//  Waits until the dashboard shows the viewer so; returns after how many milliseconds.
async function shows(page, user, { status, state, text }, ms = SOON_MS) {
  const begin = Date.now();
  const seen = () =>
    row(page, user).evaluateAll(([found]) =>
      found
        ? {
            status: found.dataset.status,
            state: found.dataset.state,
            text: found.innerText,
          }
        : null,
    );
  await waitUntil(
    `the dashboard shows ${user} as ${[status, state, text].filter(Boolean).join(", ")}`,
    async () => {
      const now = await seen();
      return (
        now &&
        (!status || now.status === status) &&
        (!state || now.state === state) &&
        (!text || now.text.includes(text))
      );
    },
    { ms, seen },
  );
  return Date.now() - begin;
}

async function storedStatuses(user, wanted) {
  const rows = () => house.storedRows(user);
  await waitUntil(
    `video_events of ${user} has ${wanted.join(", ")}`,
    async () =>
      (await rows()).map((found) => found.status).join() === wanted.join(),
    { seen: rows },
  );
  return rows();
}

//  ---- the cases

test("play, pause and play again reach the dashboard and the table", async (t) => {
  const user = "e2e-play";
  const dashboard = await openDashboard(user);
  const tracker = await openTracker(user);
  await press(tracker, "poster-play");
  const ms = await shows(dashboard, user, {
    status: "WATCHING_VIDEO",
    state: "WATCHING",
    text: "Aurora",
  });
  t.diagnostic(`on the dashboard ${ms} ms after play`);

  await press(tracker, "pause");
  await shows(dashboard, user, { status: "PAUSED_VIDEO", state: "PAUSED" });
  await press(tracker, "play");
  await shows(dashboard, user, { status: "WATCHING_VIDEO", state: "WATCHING" });
  await press(tracker, "pause");
  await shows(dashboard, user, { status: "PAUSED_VIDEO", state: "PAUSED" });

  const rows = await waitUntil(
    "the last pause is stored",
    async () => {
      const found = await house.storedRows(user);
      return (
        found.filter(({ event_name }) => event_name === "pause_event")
          .length === 2 && found
      );
    },
    { seen: () => house.storedRows(user) },
  );
  assert.deepEqual(
    rows.map(({ event_name, status }) => `${event_name} ${status}`),
    [
      "ready_event WATCHING_VIDEO", // a viewer's first event is told; play changes no status then
      "pause_event PAUSED_VIDEO",
      "play_event WATCHING_VIDEO",
      "pause_event PAUSED_VIDEO",
    ],
  );
  assert.ok(rows.every(({ media_label }) => media_label === "Aurora"));
  await tracker.close();
  await dashboard.close();
});

test("an ad break: shown, clicked, skipped, over, and the film completed", async () => {
  const user = "e2e-ads";
  const dashboard = await openDashboard(user);
  const feed = await openFeed();
  const tracker = await openTracker(user, { adSeconds: "60", skipAfter: "0" });
  const told = (what, holds) =>
    waitUntil(what, async () => (await feed.of(user)).find(holds), {
      ms: SOON_MS,
      seen: () => feed.of(user),
    });

  await press(tracker, "poster-play");
  await shows(dashboard, user, { status: "WATCHING_VIDEO", state: "WATCHING" });
  await press(tracker, "ad-break");
  await shows(dashboard, user, {
    status: "WATCHING_AD",
    state: "AD",
    text: "Lantern Coffee",
  });

  await press(tracker, "ad-click");
  const click = await told(
    "the feed counts the click",
    ({ adsClicked }) => adsClicked === 1,
  );
  assert.equal(click.adId, FIRST_AD, "an ad id of digits is a number");

  await press(tracker, "ad-pause");
  await shows(dashboard, user, { state: "AD_PAUSED" });
  await press(tracker, "ad-resume");
  await shows(dashboard, user, { state: "AD" });

  await press(tracker, "ad-skip");
  const skip = await told(
    "the feed counts the skip",
    ({ adsSkipped }) => adsSkipped === 1,
  );
  assert.equal(skip.adId, FIRST_AD);
  await shows(dashboard, user, {
    status: "WATCHING_AD",
    text: "Spring Tide Swimwear",
  });
  await press(tracker, "ad-skip");
  const second = await told(
    "the feed counts the second skip",
    ({ adsSkipped }) => adsSkipped === 2,
  );
  assert.equal(second.adId, SECOND_AD, "an ad id of letters is a string");
  await shows(dashboard, user, {
    status: "WATCHING_VIDEO",
    state: "WATCHING",
    text: "2 skipped · 1 clicked",
  });

  await press(tracker, "to-end");
  await shows(dashboard, user, { status: "COMPLETED_VIDEO", state: "ENDED" });
  const end = await told(
    "the feed tells the end",
    ({ status }) => status === "COMPLETED_VIDEO",
  );
  assert.deepEqual(
    [end.event_name, end.adsSkipped, end.adsClicked],
    ["end_event", 2, 1],
  );

  const viewer = await house.viewer(user);
  const [session] = viewer.sessions;
  assert.deepEqual(
    [session.ads, session.ads_skipped, session.ads_clicked, session.ad_breaks],
    [2, 2, 1, 1],
  );
  await Promise.all([tracker.close(), dashboard.close(), feed.close()]);
});

test("the feed sends one JSON object a message, with the members of the reference", async () => {
  const user = "e2e-feed";
  const feed = await openFeed();
  const tracker = await openTracker(user);
  await press(tracker, "poster-play");
  await waitUntil("a message says WATCHING_VIDEO", async () =>
    (await feed.of(user)).some(({ status }) => status === "WATCHING_VIDEO"),
  );
  await press(tracker, "pause");
  await waitUntil("a message says PAUSED_VIDEO", async () =>
    (await feed.of(user)).some(({ status }) => status === "PAUSED_VIDEO"),
  );
  const messages = await feed.of(user);
  for (const message of messages) {
    assert.deepEqual(Object.keys(message).sort(), [...MEMBERS].sort());
    assert.match(
      message.collector_tstamp,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    );
    assert.match(
      message.event_id,
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    );
    assert.match(message.event_name, /_event$/);
    assert.equal(typeof message.video_ts, "number");
    assert.deepEqual(
      [message.adsClicked, message.adsSkipped, message.adId],
      [0, 0, 0],
    );
  }

  //  what the feed told is what the table keeps
  const kept = ({
    event_id,
    event_name,
    status,
    adsClicked,
    adsSkipped,
    adId,
    video_ts,
  }) =>
    JSON.stringify([
      event_id,
      event_name,
      status,
      adsClicked,
      adsSkipped,
      adId,
      video_ts,
    ]);
  const rows = await storedStatuses(
    user,
    messages.map(({ status }) => status),
  );
  assert.deepEqual(rows.map(kept), messages.map(kept));
  await Promise.all([tracker.close(), feed.close()]);
});

test("two tabs of one person are two sessions of one viewer", async () => {
  const user = "e2e-tabs";
  const dashboard = await openDashboard(user);
  const first = await openTracker(user);
  await press(first, "poster-play");
  await shows(dashboard, user, {
    status: "WATCHING_VIDEO",
    state: "WATCHING",
    text: "1 session",
  });
  const second = await openTracker(user, { film: "embers" });
  await press(second, "poster-play");
  await shows(dashboard, user, {
    status: "WATCHING_VIDEO",
    state: "WATCHING",
    text: "2 sessions",
  });

  await press(second, "pause");
  const sessions = await waitUntil(
    "one tab plays, the other is paused",
    async () => {
      const found = (await house.viewer(user)).sessions;
      const states = Object.fromEntries(
        found.map(({ media_label, state }) => [media_label, state]),
      );
      return (
        states.Aurora === "WATCHING" && states.Embers === "PAUSED" && found
      );
    },
  );
  assert.equal(new Set(sessions.map(({ session_id }) => session_id)).size, 2);
  await shows(dashboard, user, { status: "WATCHING_VIDEO", state: "WATCHING" }); // the playing one speaks for the viewer

  await row(dashboard, user).click();
  for (const { session_id } of sessions)
    await dashboard
      .getByTestId(`session-${session_id}`)
      .waitFor({ timeout: SOON_MS });
  await Promise.all([first.close(), second.close(), dashboard.close()]);
});

test("the trends show who watched, and no line where nobody counted", async () => {
  const user = "e2e-trends";
  const tracker = await openTracker(user);
  await press(tracker, "poster-play");
  await waitUntil("the series has a second with a viewer", async () => {
    const asked = "resolution=1s&metric=concurrent_viewers";
    const answer = await fetch(
      `http://127.0.0.1:${house.ports.feed}/v1/stats/series?${asked}`,
    );
    return (await answer.json()).columns.concurrent_viewers.some(
      (viewers) => viewers > 0,
    );
  });
  const dashboard = await openDashboard(user);
  const hour = dashboard.getByTestId("chart-hour");
  await waitUntil(
    "the hour has a line",
    async () => (await hour.locator("polyline").count()) > 0,
  );
  assert.ok(
    (await hour.locator("rect.gap").count()) > 0,
    "before the house was there: a gap",
  );
  await dashboard
    .getByTestId("chart-day")
    .locator("polyline")
    .first()
    .waitFor({ state: "attached" });
  await dashboard.getByLabel("Spread over").selectOption("medium");
  const spread = () => dashboard.getByTestId("spread").innerText();
  await waitUntil(
    "its title is counted",
    async () => (await spread()).includes("Aurora"),
    {
      seen: spread,
    },
  );
  await Promise.all([tracker.close(), dashboard.close()]);
});

test("a reloaded dashboard shows the same", async () => {
  const user = "e2e-reload";
  const dashboard = await openDashboard(user);
  const tracker = await openTracker(user, { film: "embers" });
  await press(tracker, "poster-play");
  await shows(dashboard, user, { status: "WATCHING_VIDEO", state: "WATCHING" });
  await press(tracker, "pause");
  const paused = { status: "PAUSED_VIDEO", state: "PAUSED", text: "Embers" };
  await shows(dashboard, user, paused);
  await dashboard.reload();
  await shows(dashboard, user, paused);
  await Promise.all([tracker.close(), dashboard.close()]);
});

test("after a restart of the gateway the dashboard is right again by itself", async () => {
  const user = "e2e-restart";
  const dashboard = await openDashboard(user);
  const tracker = await openTracker(user);
  const link = () =>
    dashboard.getByTestId("connection").getAttribute("data-link");
  await press(tracker, "poster-play");
  await shows(dashboard, user, { status: "WATCHING_VIDEO", state: "WATCHING" });

  const restarted = house.usher("restart", "gateway");
  await waitUntil(
    "the dashboard has noticed",
    async () => (await link()) !== "open",
  );
  await press(tracker, "pause"); // while nobody shows it
  await restarted;
  await waitUntil("the gateway is ready", () => house.isReady());
  await waitUntil(
    "the dashboard is connected again",
    async () => (await link()) === "open",
    {
      seen: link,
    },
  );
  await shows(
    dashboard,
    user,
    { status: "PAUSED_VIDEO", state: "PAUSED" },
    15_000,
  );
  await press(tracker, "play");
  await shows(dashboard, user, { status: "WATCHING_VIDEO", state: "WATCHING" });
  await Promise.all([tracker.close(), dashboard.close()]);
});
