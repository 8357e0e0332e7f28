/** Narrow strips: a call that is not on the stage. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { CallView } from "../../sdk/index.ts";
import type { Actions } from "../actions.ts";
import { elsewhereStatus, namesOf, statusOf, ticks } from "../calls/words.ts";
import { clock } from "../format.ts";
import { icon } from "../icons.calls.ts";
import type { Face } from "../people.ts";
import type { Screen } from "../screen.ts";
import type { Words } from "../strings/index.ts";
import { avatar } from "./avatar.ts";
import { othersView } from "./others.ts";

/** In the panel: a call elsewhere, or one here whose conversation is not on screen. */
export function callBar(screen: Screen, actions: Actions): TemplateResult | typeof nothing {
	const { call, words } = screen;
	if (call.kind === "elsewhere") return elsewhere(screen, call.view, actions);
	if (call.kind === "here")
		return html`${here(screen, call.view, words.say("hangUp"), actions)}
			${call.held.map((view) => here(screen, view, words.say("endCallWith", { name: namesOf(view.others, words) }), actions))}`;
	return nothing;
}

function elsewhere(screen: Screen, view: CallView, actions: Actions): TemplateResult {
	const { words, clock: now } = screen;
	const answered = elsewhereStatus(view, now, words);
	const time = view.activeSince === undefined ? "" : clock(now - view.activeSince);
	const place =
		view.where && !view.sameDevice
			? words.say("onDevice", { device: view.where.device_name })
			: words.say("inOtherTab");
	return html`<div class="call-bar" role="group" aria-label=${namesOf(view.others, words)}>
		<div class="row">
			${avatar(faceOf(screen, view), "small")}
			<span class="summary">
				<span class="row tight">${othersView(words, view.others)}${time && answered !== time ? html`<span class="clock">${time}</span>` : nothing}</span>
				<span class="detail"><span role="status" aria-live=${ticks(view) && answered === time ? "off" : "polite"}>${answered}</span>${
					time && answered !== time ? nothing : html` · ${place}`
				}</span>
			</span>
			${microphone(words, view, actions)} ${hangUp(view, words.say("hangUp"), actions)}
		</div>
		<button class="button wide" @click=${() => actions.moveHere(view.id)}>${icon("moveHere", "mirrored")} ${words.say("moveHere")}</button>
	</div>`;
}

function here(screen: Screen, view: CallView, end: string, actions: Actions): TemplateResult {
	const { words } = screen;
	const back = () => actions.backToCall(view.call.conversation);
	return html`<div class="call-bar live" role="group" aria-label=${namesOf(view.others, words)}>
		<div class="row">
			<button class="button back-to-call" aria-label=${words.say("backToCall", { name: namesOf(view.others, words) })} @click=${back}>
				${avatar(faceOf(screen, view), "small")}
				<span class="summary">${othersView(words, view.others)}</span>
			</button>
			<span class="detail" role="status" aria-live=${ticks(view) ? "off" : "polite"}>${statusOf(view, screen.clock, words)}</span>
			${view.phase === "held" ? resume(words, view, actions) : microphone(words, view, actions)} ${hangUp(view, end, actions)}
		</div>
	</div>`;
}

/** On hold: the way back is one click, wherever the visitor has gone meanwhile. */
function resume(words: Words, view: CallView, actions: Actions): TemplateResult {
	return html`<button class="button text" @click=${() => actions.setHeld(view.id, false)}>${words.say("resume")}</button>`;
}

function microphone(words: Words, view: CallView, actions: Actions): TemplateResult | typeof nothing {
	if (view.phase === "calling" || view.phase === "ringing") return nothing;
	const on = view.me.microphone;
	return html`<button
		class="button plain ${on ? "" : "off"}"
		aria-label=${words.say(on ? "mute" : "unmute")}
		@click=${() => actions.setMicrophone(view.id, !on)}
	>
		${icon(on ? "mic" : "micOff")}
	</button>`;
}

function hangUp(view: CallView, name: string, actions: Actions): TemplateResult {
	return html`<button class="button danger" aria-label=${name} @click=${() => actions.hangUp(view.id)}>
		${icon("hangUp", "filled")}
	</button>`;
}

function faceOf({ faces }: Screen, view: CallView): Face {
	const user = view.others[0]?.user ?? "";
	return faces.get(user) ?? { id: user, name: user };
}
