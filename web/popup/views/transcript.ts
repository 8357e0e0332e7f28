/** The messages of a conversation, and how keys move in them. */

import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { PanelActions } from "../actions.ts";
import { icon } from "../icons.ts";
import type { ChatPanel, Screen } from "../screen.ts";
import type { Words } from "../strings/index.ts";
import { avatar } from "./avatar.ts";
import { itemView } from "./bubble.ts";
import { guestMark } from "./name.ts";

/** Where the reader is in the log. Only the DOM knows, so the element keeps it. */
export interface LogPosition {
	/** The newest message is in sight. */
	readonly atEnd: boolean;
	/** Messages of others that came while it was not. */
	readonly unseen: number;
	/** The line that Tab reaches. */
	readonly rovingKey: string | undefined;
	scrolled(): void;
	toEnd(): void;
	/** This line has the focus now. */
	focused(key: string): void;
}

export function transcript(
	screen: Screen,
	chat: ChatPanel,
	actions: PanelActions,
	at: LogPosition,
): TemplateResult {
	const { words } = screen;
	const { items, loading, more, typing } = chat.log;
	const lines = items.filter((item) => "row" in item);
	const roving = lines.some((line) => line.key === at.rovingKey) ? at.rovingKey : lines.at(-1)?.key;
	return html`<div
			class="log"
			role="log"
			aria-live="off"
			aria-label=${words.say("messages")}
			tabindex=${lines.length === 0 ? "0" : nothing}
			@scroll=${at.scrolled}
			@keydown=${(event: KeyboardEvent) => moveFocus(event, roving)}
			@focusin=${(event: FocusEvent) => focusMoved(event, at)}
		>
			<div class="spacer"></div>
			${loading ? skeleton(words.say("loading")) : more ? nothing : beginning(screen, chat)}
			${repeat(
				items,
				(item) => item.key,
				(item) => itemView(screen, chat.log, item, item.key === roving, actions),
			)}
			${typing ? html`<div class="line theirs first last" aria-hidden="true"><div class="bubble dots"><i></i><i></i><i></i></div></div>` : nothing}
		</div>
		${at.atEnd ? nothing : latest(words, at)}`;
}

/** Stands between the messages and the composer, not over a message. */
function latest(words: Words, { unseen, toEnd }: LogPosition): TemplateResult {
	const text = unseen > 0 ? words.count("newCount", unseen) : words.say("latest");
	const name = unseen > 0 ? `${words.say("latest")}: ${text}` : text;
	return html`<div class="latest">
		<button class="button ${unseen > 0 ? "unseen" : ""}" aria-label=${name} @click=${toEnd}>${icon("down")} ${text}</button>
	</div>`;
}

function beginning({ words }: Screen, { face, log, stopped }: ChatPanel): TemplateResult {
	const { name } = face;
	const empty = log.items.length === 0;
	return html`<div class="beginning ${empty ? "empty" : ""}">
		${avatar(face, "huge")}
		<p class="lead" dir="auto">${name}</p>
		${face.guest ? guestMark(words) : nothing}
		${stopped ? nothing : html`<p>${words.say(empty ? "hello" : "start", { name: words.called(face) })}</p>`}
	</div>`;
}

function skeleton(text: string): TemplateResult {
	return html`<div class="skeleton"><span class="hidden">${text}</span><i></i><i class="mine"></i><i></i></div>`;
}

/** Up, Down, Home and End go from message to message; Tab enters at the newest and leaves at once. */
function moveFocus(event: KeyboardEvent, roving: string | undefined): void {
	const lines = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[data-key]")];
	const at = lines.findIndex((line) => line.dataset.key === roving);
	const from = at < 0 ? lines.length - 1 : at;
	const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: lines.length - 1 }[event.key];
	if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
	event.preventDefault();
	lines[Math.max(0, Math.min(lines.length - 1, to))]?.focus();
}

function focusMoved(event: FocusEvent, at: LogPosition): void {
	const key = (event.target as HTMLElement).closest<HTMLElement>("[data-key]")?.dataset.key;
	if (key) at.focused(key);
}
