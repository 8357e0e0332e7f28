/** A call hosted here: the other's picture large, one's own small, the controls below. */

import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { CallView, Leg } from "../../sdk/index.ts";
import type { Actions } from "../actions.ts";
import { nameOf, namesOf, statusOf, ticks } from "../calls/words.ts";
import { type IconName, icon } from "../icons.calls.ts";
import type { Face } from "../people.ts";
import type { ChatPanel, Screen } from "../screen.ts";
import type { Words } from "../strings/index.ts";
import { avatar } from "./avatar.ts";
import { devicesView } from "./devices.ts";
import { nameView } from "./name.ts";
import { othersView } from "./others.ts";
import { stream } from "./stream.ts";

export function stageView(
	screen: Screen,
	chat: ChatPanel,
	actions: Actions,
): TemplateResult | typeof nothing {
	const { call, words } = screen;
	if (call.kind === "pending")
		return pending(words, words.say(call.status), screen.faces.get(call.user ?? "") ?? chat.face, actions);
	if (call.kind !== "here") return nothing;
	const { view, leg } = call;
	const tiles = view.others.filter(
		(p) => view.call.state !== "active" || p.state === "joined" || p.state === "reconnecting",
	);
	const shown = tiles.length > 0 ? tiles : view.others;
	const seen = shown.some((p) => showsPicture(p, leg));
	return html`<div class="stage ${seen || leg.preview ? "video" : "voice"}" role="group" aria-label=${words.say(view.call.media === "video" ? "logVideo" : "logVoice")} tabindex="-1">
			<div class="tiles" data-count=${shown.length}>${repeat(
				shown,
				(p) => p.user,
				(p) => tile(screen, view, leg, p),
			)}</div>
			<div class="caption">
				${othersView(words, shown)}
				<span role="status" aria-live=${ticks(view) ? "off" : "polite"}>${statusOf(view, screen.clock, words)}</span>
				${weak(words, leg)}
			</div>
			${leg.preview ? html`<video class="own" muted autoplay playsinline aria-label=${words.say("preview")} .srcObject=${stream(leg.preview)} .muted=${true}></video>` : nothing}
			${controls(words, chat, view, leg, actions)}
			${screen.menu ? devicesView(words, screen.menu, actions) : nothing}
		</div>
		${call.held.map((held) => heldBar(words, held, actions))}`;
}

/** The click is on its way to becoming a call. */
function pending(words: Words, status: string, face: Face, actions: Actions): TemplateResult {
	return html`<div class="stage voice" role="group" aria-label=${status} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${avatar(face, "huge")}</span></div></div>
		<div class="caption">${nameView(words, face)}<span role="status">${status}</span></div>
		<div class="controls">${control(words.say("hangUp"), "hangUp", () => actions.cancel(), "danger filled")}</div>
	</div>`;
}

function tile(
	{ words, faces }: Screen,
	view: CallView,
	leg: Leg,
	p: CallView["others"][number],
): TemplateResult {
	const remote = leg.remotes.get(p.user);
	const face = faces.get(p.user) ?? { id: p.user, name: p.name || p.user };
	const picture = showsPicture(p, leg);
	const waiting = view.phase === "calling" || view.phase === "ringing";
	return html`<div class="tile ${leg.speaker === p.user ? "speaks" : ""} ${p.state === "reconnecting" || p.held ? "away" : ""}">
		${
			picture
				? html`<video class="remote" muted autoplay playsinline aria-label=${nameOf(p, words)} .srcObject=${stream(remote?.camera)} .muted=${true}></video>`
				: html`<span class=${waiting ? "pulse" : "level"}>${avatar(face, "huge")}</span>`
		}
		${
			p.state === "joined" && !p.microphone
				? html`<span class="muted" role="img" aria-label=${words.say("mutedOther", { name: nameOf(p, words) })}>${icon("micOff")}</span>`
				: nothing
		}
	</div>`;
}

/** Off, on hold or not there yet: the avatar instead of a frozen or black picture. */
function showsPicture(p: CallView["others"][number], leg: Leg): boolean {
	return p.camera && !p.held && !leg.held && leg.remotes.get(p.user)?.camera !== undefined;
}

function controls(words: Words, chat: ChatPanel, view: CallView, leg: Leg, actions: Actions): TemplateResult {
	const { microphone, camera, held } = leg;
	const { large, devices } = chat;
	return html`<div class="controls">
		${control(words.say(microphone ? "mute" : "unmute"), microphone ? "mic" : "micOff", () => actions.setMicrophone(view.id, !microphone), microphone ? "" : "off")}
		${control(words.say(camera ? "cameraOff" : "cameraOn"), camera ? "video" : "videoOff", () => actions.setCamera(view.id, !camera), camera ? "" : "off")}
		${view.call.state === "active" ? control(words.say(held ? "resume" : "hold"), held ? "play" : "pause", () => actions.setHeld(view.id, !held), held ? "off" : "") : nothing}
		${control(words.say("devices"), "sliders", () => actions.toggleDevices(), devices ? "on" : "")}
		${control(words.say(large ? "smaller" : "larger"), large ? "smaller" : "larger", () => actions.toggleSize(), "only-wide")}
		${control(words.say("hangUp"), "hangUp", () => actions.hangUp(view.id), "danger filled")}
	</div>`;
}

function control(name: string, image: IconName, click: () => void, extra = ""): TemplateResult {
	const filled = extra.includes("filled");
	return html`<button class="button control ${extra}" aria-label=${name} title=${name} @click=${click}>${icon(image, filled ? "filled" : "")}</button>`;
}

function weak(words: Words, { stats }: Leg): TemplateResult | typeof nothing {
	if (!stats || (stats.loss < 0.08 && (stats.rttMs ?? 0) < 600)) return nothing;
	return html`<span class="weak">${icon("signal")} ${words.say("weak")}</span>`;
}

function heldBar(words: Words, view: CallView, actions: Actions): TemplateResult {
	const name = namesOf(view.others, words);
	return html`<div class="call-bar"><div class="row">
		<span class="summary">${othersView(words, view.others)}<span class="detail">${words.say("onHold")}</span></span>
		<button class="button text" @click=${() => actions.setHeld(view.id, false)}>${words.say("resume")}</button>
		<button class="button danger" aria-label=${words.say("endCallWith", { name })} @click=${() => actions.hangUp(view.id)}>${icon("hangUp", "filled")}</button>
	</div></div>`;
}
