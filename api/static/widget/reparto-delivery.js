/* <reparto-delivery link="https://…/t/TOKEN" lang="es"></reparto-delivery>: the tracking page in small, told of every change. */

class RepartoDelivery extends HTMLElement {
  static observedAttributes = ["link", "lang"];
  #frame;
  #told;

  connectedCallback() {
    this.style.display ||= "block";
    this.#frame = document.createElement("iframe");
    Object.assign(this.#frame.style, { width: "100%", height: "var(--reparto-height, 220px)", border: "0" });
    this.#frame.referrerPolicy = "no-referrer";
    this.#frame.loading = "lazy";
    this.replaceChildren(this.#frame);
    this.#show();
  }

  disconnectedCallback() {
    this.#told?.close();
  }

  attributeChangedCallback() {
    if (this.#frame) this.#show();
  }

  #show() {
    this.#told?.close();
    const [, site, token] = (this.getAttribute("link") ?? "").match(/^(https?:\/\/[^/?#]+)\/t\/([\w-]{16,64})(?:[?#].*)?$/) ?? [];
    if (!token) { this.#frame.removeAttribute("src"); return; }
    const lang = this.getAttribute("lang");
    this.#frame.title = this.getAttribute("title") ?? document.title;
    const src = `${site}/t/${token}/widget${lang ? `?lang=${encodeURIComponent(lang)}` : ""}`;
    this.#frame.src = src;
    this.#told = new EventSource(`${site}/v1/track/${token}/stream`);
    let said = "";
    this.#told.addEventListener("tracking", ({ data }) => {
      const { status, eta, stops_before } = JSON.parse(data);
      const now = JSON.stringify([status, eta?.low, eta?.high, stops_before]); // where the van is, is not shown here
      if (said && now !== said) this.#frame.src = src;
      said = now;
    });
    this.#told.addEventListener("end", () => { this.#told.close(); this.#frame.src = src; });
  }
}

customElements.define("reparto-delivery", RepartoDelivery);
