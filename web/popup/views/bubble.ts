/** One line of the transcript: a bubble, a call, a notice, a day. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { CallLog, Message, Row } from "../../sdk/index.ts";
import type { PanelActions } from "../actions.ts";
import { clock, dayLabel, timeLabel } from "../format.ts";
import { type IconName, icon } from "../icons.ts";
import { linkify, onlyEmoji } from "../linkify.ts";
import type { Bubble, Item } from "../rows.ts";
import type { Log, Screen } from "../screen.ts";
import { spoken } from "../spoken.ts";
import type { Text, Words } from "../strings/index.ts";
import { card } from "./card.ts";

export function itemView(
	screen: Screen,
	log: Log,
	item: Item,
	tabbable: boolean,
	actions: PanelActions,
): TemplateResult {
	const { words } = screen;
	switch (item.kind) {
		case "day":
			return html`<p class="day"><span>${dayLabel(item.at, screen.now, words)}</span></p>`;
		case "unread":
			return html`<p class="divider"><span>${words.say("newMessages")}</span></p>`;
		case "notice":
			return html`<p class="day" dir="auto">${item.row.message.text}</p>`;
		case "call":
			return callEntry(words, log, item, tabbable, actions);
		case "bubble":
			return bubble(words, log, item, tabbable, actions);
	}
}

function bubble(
	words: Words,
	log: Log,
	item: Bubble,
	tabbable: boolean,
	actions: PanelActions,
): TemplateResult {
	const { row, mine, first, last } = item;
	const { text, standIn } = spoken(row.message, words);
	const big = onlyEmoji(text);
	const sender = mine ? words.say("you") : (log.names.get(row.message.sender) ?? row.message.sender);
	return html`<div
		class="line ${mine ? "mine" : "theirs"} ${first ? "first" : ""} ${last ? "last" : ""} ${row.delivery}"
		data-key=${item.key}
		tabindex=${tabbable ? "0" : "-1"}
		role="article"
		aria-label=${words.say("said", { name: sender, text })}
	>
		<div class="bubble ${big ? "emoji" : ""} ${standIn ? "stand-in" : ""}">
			${log.group && !mine && first ? html`<span class="sender" dir="auto">${sender}</span>` : nothing}
			<span class="content" dir="auto">${linkify(text).map(({ text, href }) =>
				href
					? html`<a href=${href} dir="auto" target="_blank" rel="noopener noreferrer nofollow ugc">${text}</a>`
					: text,
			)}</span>
			${row.message.preview && log.server !== undefined ? card(row.message.preview, log.server) : nothing}
		</div>
		${
			last || item.tick || row.message.edited_at
				? html`<div class="meta">${row.message.edited_at && !row.message.gone ? html`<span>${words.say("edited")}</span>` : nothing}${last ? time(words, row.message) : nothing}${item.tick ? tick(row, words) : nothing}</div>`
				: nothing
		}
		${row.delivery === "failed" ? failed(words, row, actions) : nothing}
	</div>`;
}

function time(words: Words, { sent_at }: Message): TemplateResult {
	return html`<time datetime=${new Date(sent_at).toISOString()}>${timeLabel(sent_at, words)}</time>`;
}

const ticks: Record<Exclude<Row["delivery"], "received">, [IconName, Text]> = {
	queued: ["clock", "queued"],
	sending: ["clock", "sending"],
	unconfirmed: ["clock", "unconfirmed"],
	sent: ["check", "sent"],
	delivered: ["checks", "delivered"],
	read: ["checks", "read"],
	failed: ["alert", "failed"],
};

function tick({ delivery }: Row, words: Words): TemplateResult | typeof nothing {
	if (delivery === "received") return nothing;
	const [name, text] = ticks[delivery];
	const label = words.say(text);
	return html`<span class="tick ${delivery}" role="img" aria-label=${label} title=${label}>${icon(name)}</span>`;
}

function failed(words: Words, row: Row, actions: PanelActions): TemplateResult {
	return html`<div class="failed-bar">
		<span>${row.refused?.message ?? words.say("failed")}</span>
		<button class="button text" @click=${() => actions.resend(row.key)}>${words.say("tryAgain")}</button>
		<button class="button text" @click=${() => actions.discard(row.key)}>${words.say("discard")}</button>
	</div>`;
}

function callEntry(
	words: Words,
	{ callBack }: Log,
	{ key, row: { message }, mine }: Extract<Item, { kind: "call" }>,
	tabbable: boolean,
	actions: PanelActions,
): TemplateResult {
	const { title, detail, missed, over, video } = callLabel(message, mine, words);
	return html`<div class="line ${mine ? "mine" : "theirs"} first last" data-key=${key} tabindex=${tabbable ? "0" : "-1"} role="article" aria-label=${`${title} ${detail}`}>
		<div class="call-entry ${missed ? "missed" : ""}">
			<span class="disc">${icon(video ? "video" : "phone")}</span>
			<span class="summary">
				<span class="name">${title}</span>
				<span class="detail">${detail ? html`${detail} · ` : nothing}${time(words, message)}</span>
			</span>
			${
				over && callBack
					? html`<button class="button text" @click=${() => actions.start(callBack, video ? "video" : "audio")}>${words.say(mine ? "callAgain" : "callBack")}</button>`
					: nothing
			}
		</div>
	</div>`;
}

/** A call as the transcript tells it: "Missed video call", "Voice call · 12:34". */
export function callLabel(
	message: Message,
	mine: boolean,
	words: Words,
): { title: string; detail: string; missed: boolean; over: boolean; video: boolean } {
	const log = (message.data ?? {}) as Partial<CallLog>;
	const video = log.media === "video";
	const over = log.state === "ended";
	const unanswered = over && !log.duration_ms;
	const missed = unanswered && !mine && log.reason !== "declined" && log.reason !== "completed";
	const title = words.say(
		missed ? (video ? "logMissedVideo" : "logMissedVoice") : video ? "logVideo" : "logVoice",
	);
	return { title, detail: callDetail(log, missed, words), missed, over, video };
}

function callDetail(log: Partial<CallLog>, missed: boolean, words: Words): string {
	if (log.state === "ringing") return words.say("logRinging");
	if (log.state !== "ended") return words.say("logRunning");
	if (log.duration_ms) return clock(log.duration_ms);
	if (missed) return "";
	const texts: Record<string, Text> = {
		declined: "logDeclined",
		cancelled: "logCancelled",
		no_answer: "logNoAnswer",
	};
	return words.say(texts[log.reason ?? ""] ?? "logFailed");
}
