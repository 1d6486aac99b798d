// One stream for the page that is looked at; it says what changed, the parts ask for it again. Without it they are asked in turn.
const TOPICS = ["jobs", "bell", "picking"];
const POLL_EVERY = 20_000;
const RETRY_EVERY = 60_000;
let stream = null;
let polling = null;
let lost = false;
let ended = false;

const ring = (topic) => document.dispatchEvent(new CustomEvent(`live:${topic}`));
const ringAll = () => TOPICS.forEach(ring);

function stopPolling() {
  clearInterval(polling);
  polling = null;
}

function poll() {
  if (!ended) polling ??= setInterval(ringAll, POLL_EVERY);
}

function close() {
  stream?.close();
  stream = null;
}

function connect() {
  if (stream || ended || document.hidden) return;
  stream = new EventSource("/live/");
  stream.onopen = () => {
    stopPolling();
    // What happened while nobody listened.
    if (lost) ringAll();
    lost = false;
  };
  stream.onmessage = ({ data }) => ring(JSON.parse(data).topic);
  stream.onerror = () => {
    lost = true;
    poll();
    // The browser tries again by itself unless the answer was a refusal.
    if (stream?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(connect, RETRY_EVERY);
    }
  };
}

// Nobody asks on behalf of a session that has ended.
document.addEventListener("session:ended", () => {
  ended = true;
  close();
  stopPolling();
});
document.addEventListener("session:renewed", () => {
  ended = false;
  lost = true;
  connect();
});

// A hidden page holds no connection: browsers allow six to a host, over all its tabs.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    close();
    stopPolling();
    lost = true;
  } else connect();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && connect());
connect();
