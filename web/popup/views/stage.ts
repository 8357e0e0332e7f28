/** A call hosted here: the other's picture large, one's own small, the controls below. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { CallView, Leg } from "../../sdk/index.ts";
import { type CallScreen, statusOf, ticks } from "../callscreen.ts";
import type { Controller } from "../controller.ts";
import { type IconName, icon } from "../icons.ts";
import type { Face } from "../people.ts";
import { deviceText } from "../problems.ts";
import { avatar } from "./avatar.ts";
import { stream } from "./stream.ts";

export function stageView(c: Controller, screen: CallScreen): TemplateResult | typeof nothing {
	if (screen.kind === "pending") return pending(c, c.words.say(screen.status));
	if (screen.kind !== "here") return nothing;
	const { view, leg } = screen;
	const tiles = view.others.filter(
		(p) => view.call.state !== "active" || p.state === "joined" || p.state === "reconnecting",
	);
	const shown = tiles.length > 0 ? tiles : view.others;
	const seen = shown.some((p) => showsPicture(p, leg));
	return html`<div class="stage ${seen || leg.preview ? "video" : "voice"}" role="group" aria-label=${c.words.say(view.call.media === "video" ? "logVideo" : "logVoice")} tabindex="-1">
			<div class="tiles" data-count=${shown.length}>${repeat(
				shown,
				(p) => p.user,
				(p) => tile(c, view, leg, p),
			)}</div>
			<div class="caption">
				<span class="name"><bdi>${shown.map((p) => p.name || p.user).join(", ")}</bdi></span>
				<span role="status" aria-live=${ticks(view) ? "off" : "polite"}>${statusOf(view, performance.now(), c.words)}</span>
				${weak(c, leg)}
			</div>
			${leg.preview ? html`<video class="own" muted autoplay playsinline aria-label=${c.words.say("preview")} .srcObject=${stream(leg.preview)} .muted=${true}></video>` : nothing}
			${leg.problem ? html`<p class="problem" role="alert">${deviceText(leg.problem.source, leg.problem.reason, c.words)}</p>` : nothing}
			${controls(c, view, leg)}
		</div>
		${screen.held.map((held) => heldBar(c, held))}`;
}

function pending(c: Controller, status: string): TemplateResult {
	const face = pendingFace(c);
	return html`<div class="stage voice" role="group" aria-label=${status} tabindex="-1">
		<div class="tiles" data-count="1"><div class="tile"><span class="pulse">${avatar(face, "huge")}</span></div></div>
		<div class="caption"><span class="name"><bdi>${face.name}</bdi></span><span role="status">${status}</span></div>
		<div class="controls">${control(c.words.say("hangUp"), "hangUp", () => c.calling.cancel(), "danger filled")}</div>
	</div>`;
}

function pendingFace(c: Controller): Face {
	const { pending } = c.state;
	if (pending.kind === "answering") return { id: pending.ring.from.user, name: pending.ring.from.name };
	return c.people.face(pending.kind === "starting" ? pending.ref : c.ref);
}

function tile(c: Controller, view: CallView, leg: Leg, p: CallView["others"][number]): TemplateResult {
	const remote = leg.remotes.get(p.user);
	const conversation = c.client?.conversations.get(view.call.conversation);
	const known = conversation && c.people.faceOf(conversation);
	const face = known?.id === p.user ? known : { id: p.user, name: p.name || p.user };
	const picture = showsPicture(p, leg);
	const waiting = view.phase === "calling" || view.phase === "ringing";
	return html`<div class="tile ${leg.speaker === p.user ? "speaks" : ""} ${p.state === "reconnecting" || p.held ? "away" : ""}">
		${
			picture
				? html`<video class="remote" muted autoplay playsinline aria-label=${p.name || p.user} .srcObject=${stream(remote?.camera)} .muted=${true}></video>`
				: html`<span class=${waiting ? "pulse" : "level"}>${avatar(face, "huge")}</span>`
		}
		${
			p.state === "joined" && !p.microphone
				? html`<span class="muted" role="img" aria-label=${c.words.say("mutedOther", { name: p.name || p.user })}>${icon("micOff")}</span>`
				: nothing
		}
	</div>`;
}

/** Off, on hold or not there yet: the avatar instead of a frozen or black picture. */
function showsPicture(p: CallView["others"][number], leg: Leg): boolean {
	return p.camera && !p.held && !leg.held && leg.remotes.get(p.user)?.camera !== undefined;
}

function controls(c: Controller, view: CallView, leg: Leg): TemplateResult {
	const { words, calling, state } = c;
	const devices = state.panel.kind === "open" && state.panel.devices;
	return html`<div class="controls">
		${control(words.say(leg.microphone ? "mute" : "unmute"), leg.microphone ? "mic" : "micOff", () => calling.do(leg.setMicrophone(!leg.microphone)), leg.microphone ? "" : "off")}
		${control(words.say(leg.camera ? "cameraOff" : "cameraOn"), leg.camera ? "video" : "videoOff", () => calling.do(leg.setCamera(!leg.camera)), leg.camera ? "" : "off")}
		${view.call.state === "active" ? control(words.say(leg.held ? "resume" : "hold"), leg.held ? "play" : "pause", () => calling.do(leg.setHeld(!leg.held)), leg.held ? "off" : "") : nothing}
		${control(words.say("devices"), "sliders", () => c.change({ type: "devices" }), devices ? "on" : "")}
		${control(words.say(state.large ? "smaller" : "larger"), state.large ? "smaller" : "larger", () => c.change({ type: "resize" }), "only-wide")}
		${control(words.say("hangUp"), "hangUp", () => calling.hangUp(view.id), "danger filled")}
	</div>`;
}

function control(name: string, image: IconName, click: () => void, extra = ""): TemplateResult {
	const filled = extra.includes("filled");
	return html`<button class="button control ${extra}" aria-label=${name} title=${name} @click=${click}>${icon(image, filled ? "filled" : "")}</button>`;
}

function weak(c: Controller, leg: Leg): TemplateResult | typeof nothing {
	const { stats } = leg;
	if (!stats || (stats.loss < 0.08 && (stats.rttMs ?? 0) < 600)) return nothing;
	return html`<span class="weak">${icon("signal")} ${c.words.say("weak")}</span>`;
}

function heldBar(c: Controller, view: CallView): TemplateResult {
	const name = view.others.map((p) => p.name || p.user).join(", ");
	return html`<div class="call-bar"><div class="row">
		<span class="summary"><span class="name"><bdi>${name}</bdi></span><span class="detail">${c.words.say("onHold")}</span></span>
		<button class="button text" @click=${() => c.calling.do(c.client?.calls.setHeld(view.id, false))}>${c.words.say("resume")}</button>
		<button class="button danger" aria-label=${c.words.say("endCallWith", { name })} @click=${() => c.calling.hangUp(view.id)}>${icon("hangUp", "filled")}</button>
	</div></div>`;
}
