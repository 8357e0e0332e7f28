/** One line of the transcript: a bubble, a call, a notice, a day. */
import { html, nothing, type TemplateResult } from "lit";
import type { CallLog, Message, Row } from "../../sdk/index.ts";
import type { Controller } from "../controller.ts";
import { clock, dayLabel, timeLabel } from "../format.ts";
import { type IconName, icon } from "../icons.ts";
import { linkify, onlyEmoji } from "../linkify.ts";
import type { Bubble, Item } from "../rows.ts";
import type { Text, Words } from "../strings/index.ts";

export function itemView(c: Controller, item: Item, tabbable: boolean): TemplateResult {
	switch (item.kind) {
		case "day":
			return html`<p class="day"><span>${dayLabel(item.at, Date.now(), c.words)}</span></p>`;
		case "unread":
			return html`<p class="divider"><span>${c.words.say("newMessages")}</span></p>`;
		case "notice":
			return html`<p class="day" dir="auto">${item.row.message.text}</p>`;
		case "call":
			return call(c, item.row.message, item.mine, tabbable, item.key);
		case "bubble":
			return bubble(c, item, tabbable);
	}
}

function bubble(c: Controller, item: Bubble, tabbable: boolean): TemplateResult {
	const { row, mine, first, last } = item;
	const text = row.message.text ?? "";
	const big = onlyEmoji(text);
	const group = !mine && first && c.transcript?.conversation?.kind === "group";
	const sender = c.people.nameIn(row.message);
	return html`<div
		class="line ${mine ? "mine" : "theirs"} ${first ? "first" : ""} ${last ? "last" : ""} ${row.delivery}"
		data-key=${item.key}
		tabindex=${tabbable ? "0" : "-1"}
		role="article"
		aria-label=${`${mine ? c.words.say("you") : sender}: ${text}`}
	>
		<div class="bubble ${big ? "emoji" : ""}">
			${group ? html`<span class="sender" dir="auto">${sender}</span>` : nothing}
			<span class="text" dir="auto">${linkify(text).map(({ text, href }) =>
				href
					? html`<a href=${href} target="_blank" rel="noopener noreferrer nofollow ugc">${text}</a>`
					: text,
			)}</span><span class="meta"><time datetime=${new Date(row.message.sent_at).toISOString()}>${timeLabel(row.message.sent_at, c.words)}</time>${tick(row, c.words)}</span>
		</div>
		${row.delivery === "failed" ? failed(c, row) : nothing}
	</div>`;
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

function failed(c: Controller, row: Row): TemplateResult {
	return html`<div class="failed-bar">
		<span>${row.refused?.message ?? c.words.say("failed")}</span>
		<button class="button text" @click=${() => c.client?.messages.resend(row.key)}>${c.words.say("tryAgain")}</button>
		<button class="button text" @click=${() => c.client?.messages.discard(row.key)}>${c.words.say("discard")}</button>
	</div>`;
}

function call(
	c: Controller,
	message: Message,
	mine: boolean,
	tabbable: boolean,
	key: string,
): TemplateResult {
	const { title, detail, missed, over, video } = callLabel(message, mine, c.words);
	const { ref } = c;
	const idle = c.calling.screen.kind === "none";
	return html`<div class="line ${mine ? "mine" : "theirs"} first last" data-key=${key} tabindex=${tabbable ? "0" : "-1"} role="article" aria-label=${`${title} ${detail}`}>
		<div class="call-entry ${missed ? "missed" : ""}">
			<span class="disc">${icon(video ? "video" : "phone")}</span>
			<span class="summary">
				<span class="name">${title}</span>
				<span class="detail">${detail ? html`${detail} · ` : nothing}<time datetime=${new Date(message.sent_at).toISOString()}>${timeLabel(message.sent_at, c.words)}</time></span>
			</span>
			${
				over && ref && idle && c.client?.calls.available.ok
					? html`<button class="button text" @click=${() => c.calling.start(ref, video ? "video" : "audio")}>${c.words.say("callBack")}</button>`
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
