/** The messages of a conversation, and how keys move in them. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Controller } from "../controller.ts";
import { refKey } from "../drafts.ts";
import type { CarillonPopup } from "../element.ts";
import { icon } from "../icons.ts";
import { itemsOf } from "../rows.ts";
import { avatar } from "./avatar.ts";
import { itemView } from "./bubble.ts";

export function transcript(c: Controller, element: CarillonPopup): TemplateResult {
	const { ref, words, client } = c;
	const shown = c.transcript;
	const rows = shown?.rows ?? [];
	const items = itemsOf(rows, client?.user?.id, ref && c.readTo.get(refKey(ref)));
	const last = rows.at(-1)?.key;
	const roving = rows.some((row) => row.key === element.rovingKey) ? element.rovingKey : last;
	const typists = shown?.conversation ? (client?.messages.typists(shown.conversation.id) ?? []) : [];
	return html`<div
			class="log"
			role="log"
			aria-live="off"
			aria-label=${words.say("messages")}
			tabindex=${rows.length === 0 ? "0" : nothing}
			@scroll=${element.place.moved}
			@keydown=${(event: KeyboardEvent) => rove(event, element)}
			@focusin=${(event: FocusEvent) => settle(event, element)}
		>
			<div class="spacer"></div>
			${shown?.loading && rows.length === 0 ? skeleton(words.say("loading")) : shown?.more ? nothing : beginning(c)}
			${repeat(
				items,
				(item) => item.key,
				(item) => itemView(c, item, item.key === roving),
			)}
			${typists.length > 0 ? html`<div class="line theirs first last" aria-hidden="true"><div class="bubble dots"><i></i><i></i><i></i></div></div>` : nothing}
		</div>
		${
			element.place.atEnd
				? nothing
				: html`<button class="button latest" aria-label=${words.say("latest")} @click=${() => element.place.toEnd()}>${icon("down")}</button>`
		}`;
}

function beginning(c: Controller): TemplateResult {
	const face = c.people.face(c.ref);
	const { name } = face;
	const empty = !c.transcript?.rows.length;
	return html`<div class="beginning ${empty ? "empty" : ""}">
		${avatar(face, "huge")}
		<p class="lead" dir="auto">${name}</p>
		<p>${c.words.say(empty ? "hello" : "start", { name })}</p>
	</div>`;
}

function skeleton(text: string): TemplateResult {
	return html`<div class="skeleton"><span class="hidden">${text}</span><i></i><i class="mine"></i><i></i></div>`;
}

/** Up, Down, Home and End go from message to message; Tab enters at the newest and leaves at once. */
function rove(event: KeyboardEvent, element: CarillonPopup): void {
	const lines = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[data-key]")];
	const at = lines.findIndex((line) => line.dataset.key === element.rovingKey);
	const from = at < 0 ? lines.length - 1 : at;
	const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: lines.length - 1 }[event.key];
	if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
	event.preventDefault();
	lines[Math.max(0, Math.min(lines.length - 1, to))]?.focus();
}

function settle(event: FocusEvent, element: CarillonPopup): void {
	const line = (event.target as HTMLElement).closest<HTMLElement>("[data-key]");
	if (!line || line.dataset.key === element.rovingKey) return;
	element.rovingKey = line.dataset.key;
	element.requestUpdate();
}
