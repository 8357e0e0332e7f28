/** Where one writes. Enter sends, Shift+Enter breaks the line, and the field grows with the text. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { Controller } from "../controller.ts";
import type { CarillonPopup } from "../element.ts";
import { icon } from "../icons.ts";

export function composer(c: Controller, element: CarillonPopup): TemplateResult {
	const { ref, words } = c;
	const draft = ref ? c.drafts.get(ref) : "";
	const field = () => element.renderRoot.querySelector<HTMLTextAreaElement>(".composer textarea");
	const send = () => {
		const text = draftOf(c).trim();
		if (!text) return;
		const limit = c.client?.limits?.message_bytes ?? Number.POSITIVE_INFINITY;
		if (new TextEncoder().encode(text).length > limit) {
			c.notify({ kind: "error", text: words.say("tooLong") });
			return;
		}
		element.place.atEnd = true;
		c.send(text);
		c.typing(false);
		void element.updateComplete.then(() => grow(field()));
	};
	const input = (event: InputEvent) => {
		const area = event.target as HTMLTextAreaElement;
		const before = draftOf(c);
		if (ref) c.drafts.set(ref, area.value);
		grow(area);
		c.typing(area.value !== "");
		if ((before.trim() === "") !== (area.value.trim() === "")) c.changed();
	};
	const key = (event: KeyboardEvent) => {
		if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
		event.preventDefault();
		send();
	};
	return html`<form
		class="composer"
		@submit=${(event: Event) => {
			event.preventDefault();
			send();
			field()?.focus();
		}}
	>
		<textarea
			rows="1"
			dir=${draft ? "auto" : nothing}
			enterkeyhint="send"
			autocomplete="off"
			aria-label=${words.say("message")}
			placeholder=${words.say("placeholder")}
			.value=${live(draft)}
			@input=${input}
			@keydown=${key}
		></textarea>
		<button class="button send" aria-label=${words.say("send")} aria-disabled=${draft.trim() === "" ? "true" : "false"}>
			${icon("send", "mirrored")}
		</button>
	</form>`;
}

function draftOf(c: Controller): string {
	return c.ref ? c.drafts.get(c.ref) : "";
}

/** As tall as its text, up to the limit in the styles. */
function grow(area: HTMLTextAreaElement | null): void {
	if (!area) return;
	area.style.blockSize = "auto";
	area.style.blockSize = `${area.scrollHeight + 2}px`;
}
