/**
 * What a screen reader is told: new messages of others, those that come together as one, and a ring at once. History and one's own
 * messages are not read out.
 */
import { html, type TemplateResult } from "lit/html.js";

/** Messages that follow each other closer than this are read as one. */
const pauseMs = 1000;

export class Announcer {
	#polite: string[] = [];
	#urgent = "";
	#lastAt = 0;

	say(text: string, urgent: boolean): void {
		if (urgent) {
			this.#urgent = text;
			return;
		}
		const now = performance.now();
		if (now - this.#lastAt > pauseMs) this.#polite = [];
		this.#lastAt = now;
		this.#polite.push(text);
	}

	view(): TemplateResult {
		// No role: `status` belongs to the state of a call.
		return html`<div class="hidden" aria-live="polite" aria-atomic="false">
				${this.#polite.map((text) => html`<p dir="auto">${text}</p>`)}
			</div>
			<div class="hidden" aria-live="assertive">${this.#urgent}</div>`;
	}
}
