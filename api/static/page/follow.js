/* Staying up to date: the stream where there is one, else asking, as often as the server says. */

const STREAM_AGAIN_S = 60;
const FIRST_ASK_MS = 2000;
const MISSED_AGAIN_S = 10;

let stream = null;
let poll = 0;

/** Give every new view to `got`, tell `missed` when none comes, and `ended` when there will be none any more. */
export function follow(link, { got, missed, ended }) {
  const again = () => {
    stop();
    stream = new EventSource(`${link}/stream`);
    stream.addEventListener("tracking", (event) => { clearTimeout(poll); poll = 0; got(JSON.parse(event.data)); });
    stream.addEventListener("end", ended);
    // while the browser tries to open it again, or gave up, we ask
    stream.addEventListener("error", () => { if (!poll) poll = setTimeout(ask, FIRST_ASK_MS); });
  };

  async function ask() {
    let again_s = MISSED_AGAIN_S;
    try {
      const response = await fetch(link, { headers: { Accept: "application/json" } });
      if (response.status === 404 || response.status === 410) { ended(); return; }
      if (!response.ok) throw new Error(response.statusText);
      const view = await response.json();
      got(view);
      again_s = view.poll_after_s;
    } catch {
      missed();
    }
    const closed = stream && stream.readyState === EventSource.CLOSED;
    poll = setTimeout(closed && again_s >= STREAM_AGAIN_S ? again : ask, again_s * 1000);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : again()));
  again();
}

function stop() {
  if (stream) stream.close();
  clearTimeout(poll);
  stream = null;
  poll = 0;
}
