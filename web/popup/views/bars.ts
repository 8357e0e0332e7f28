/** Narrow strips: connection, notices, a call that is not on the stage. */
import { html, nothing, type TemplateResult } from "lit";
import type { CallView } from "../../sdk/index.ts";
import { type CallScreen, elsewhereStatus, statusOf, ticks } from "../callscreen.ts";
import type { Controller } from "../controller.ts";
import { clock } from "../format.ts";
import { icon } from "../icons.ts";
import type { Text } from "../strings/index.ts";
import { avatar } from "./avatar.ts";

export function connectionBar(c: Controller): TemplateResult | typeof nothing {
	const key = connectionText(c);
	return key ? html`<p class="strip" aria-live="polite">${icon("cloud")} ${c.words.say(key)}</p>` : nothing;
}

function connectionText({ client }: Controller): Text | undefined {
	if (!client) return undefined;
	const { connection } = client;
	switch (connection.state) {
		case "stopped":
			return `stopped_${connection.why}`;
		case "waiting":
			return navigator.onLine ? (connection.code >= 4500 ? undefined : "serverAway") : "offlineBar";
		case "connecting":
			// The first seconds are not worth a word.
			return connection.attempt > 1 ? (navigator.onLine ? "serverAway" : "offlineBar") : undefined;
		case "catching_up":
			return connection.attempt > 1 ? "catchingUp" : undefined;
		default:
			return undefined;
	}
}

export function noticeBar(c: Controller): TemplateResult | typeof nothing {
	const { notice } = c.state;
	if (!notice) return nothing;
	return html`<div class="notice ${notice.kind}">
		<p role=${notice.kind === "error" ? "alert" : "status"}>${notice.text}</p>
		<button class="button plain" aria-label=${c.words.say("dismiss")} @click=${() => c.change({ type: "dismiss", notice })}>${icon("close")}</button>
	</div>`;
}

/** In the panel: a call elsewhere, or one here whose conversation is not on screen. */
export function callBar(c: Controller, call: CallScreen): TemplateResult | typeof nothing {
	if (call.kind === "elsewhere") return elsewhere(c, call.view);
	if (call.kind === "here")
		return html`${here(c, call.view, c.words.say("hangUp"))} ${call.held.map((view) => here(c, view, c.words.say("endCallWith", { name: names(view) })))}`;
	return nothing;
}

/** Beside the round button while the panel is closed: a call, or what became of one. */
export function floatingCall(c: Controller): TemplateResult | typeof nothing {
	const bar = callBar(c, c.calling.screen);
	if (bar === nothing && !c.state.notice) return nothing;
	return html`<section class="floating" aria-label=${c.words.say("callRegion")}>${noticeBar(c)} ${bar}</section>`;
}

function elsewhere(c: Controller, view: CallView): TemplateResult {
	const { words, calling } = c;
	const now = performance.now();
	const answered = elsewhereStatus(view, now, words);
	const time = view.activeSince === undefined ? "" : clock(now - view.activeSince);
	const place =
		view.where && !view.sameDevice
			? words.say("onDevice", { device: view.where.device_name })
			: words.say("inOtherTab");
	const move = () => calling.do(calling.moveHere(view));
	return html`<div class="call-bar" role="group" aria-label=${names(view)}>
		<div class="row">
			${avatar(faceOf(view), "small")}
			<span class="summary">
				<span class="name"><bdi>${names(view)}</bdi>${time && answered !== time ? html` <span class="clock">${time}</span>` : nothing}</span>
				<span class="detail"><span role="status" aria-live=${ticks(view) && answered === time ? "off" : "polite"}>${answered}</span>${
					time && answered !== time ? nothing : html` · ${place}`
				}</span>
			</span>
			${microphone(c, view)} ${hangUp(c, view)}
		</div>
		<button class="button wide" @click=${move}>${icon("moveHere", "mirrored")} ${words.say("moveHere")}</button>
	</div>`;
}

function here(c: Controller, view: CallView, end: string): TemplateResult {
	const back = () => {
		c.open({ focus: false });
		c.showConversation({ conversation: view.call.conversation });
	};
	return html`<div class="call-bar live" role="group" aria-label=${names(view)}>
		<div class="row">
			<button class="button back-to-call" aria-label=${c.words.say("backToCall")} @click=${back}>
				${avatar(faceOf(view), "small")}
				<span class="summary"><span class="name"><bdi>${names(view)}</bdi></span></span>
			</button>
			<span class="detail" role="status" aria-live=${ticks(view) ? "off" : "polite"}>${statusOf(view, performance.now(), c.words)}</span>
			${view.phase === "held" ? resume(c, view) : microphone(c, view)} ${hangUp(c, view, end)}
		</div>
	</div>`;
}

/** On hold: the way back is one click, wherever the visitor has gone meanwhile. */
function resume(c: Controller, view: CallView): TemplateResult {
	return html`<button class="button text" @click=${() => c.calling.do(c.client?.calls.setHeld(view.id, false))}>${c.words.say("resume")}</button>`;
}

function microphone(c: Controller, view: CallView): TemplateResult | typeof nothing {
	if (view.phase === "calling" || view.phase === "ringing") return nothing;
	const on = view.me.microphone;
	return html`<button
		class="button plain ${on ? "" : "off"}"
		aria-label=${c.words.say(on ? "mute" : "unmute")}
		@click=${() => c.calling.do(c.client?.calls.setMicrophone(view.id, !on))}
	>
		${icon(on ? "mic" : "micOff")}
	</button>`;
}

function hangUp(c: Controller, view: CallView, name = c.words.say("hangUp")): TemplateResult {
	return html`<button class="button danger" aria-label=${name} @click=${() => c.calling.hangUp(view.id)}>
		${icon("hangUp", "filled")}
	</button>`;
}

function names(view: CallView): string {
	return view.others.map((p) => p.name || p.user).join(", ");
}

function faceOf(view: CallView): { id: string; name: string } {
	const other = view.others[0];
	return { id: other?.user ?? "", name: other?.name || other?.user || "" };
}
