/** Someone calls. Not modal: it lies beside everything else and takes no focus. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Ring } from "../../sdk/index.ts";
import type { Controller } from "../controller.ts";
import { icon } from "../icons.ts";
import { avatar } from "./avatar.ts";

export function ringsView(c: Controller, rings: readonly Ring[]): TemplateResult | typeof nothing {
	if (rings.length === 0) return nothing;
	return html`<div class="rings">${repeat(
		rings,
		(ring) => ring.id,
		(ring) => ringView(c, ring),
	)}</div>`;
}

function ringView(c: Controller, ring: Ring): TemplateResult {
	const { words, calling, client } = c;
	const video = ring.media === "video";
	const name = ring.from.name || ring.from.user;
	const title = words.say(video ? "incomingVideo" : "incomingVoice", { name });
	const kind = words.say(video ? "videoRing" : "voiceRing");
	const available = client?.calls.available;
	return html`<div class="ring" role="alertdialog" aria-label=${title} aria-describedby="ring-${ring.id}">
		<div class="row">
			<span class="pulse">${avatar(faceOf(c, ring), "medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${name}</bdi></span>
				<span class="detail" id="ring-${ring.id}">${ring.waiting ? `${words.say("waiting")} · ${kind}` : kind}</span>
			</span>
			${
				ring.silenced || ring.waiting
					? nothing
					: html`<button class="button plain" aria-label=${words.say("silence")} title=${words.say("silence")} @click=${() => client?.calls.silence(ring.id)}>${icon("bellOff")}</button>`
			}
		</div>
		${available && !available.ok ? html`<p class="no-calls">${words.say(available.reason === "calls_need_https" ? "callsNeedHttps" : "callsUnsupported")}</p>` : nothing}
		<div class="choices ${video ? "video" : ""}">
			${available?.ok === false ? nothing : answers(c, ring, video)}
			<button class="button danger wide" @click=${() => calling.decline(ring)}>${icon("hangUp", "filled")} ${words.say("decline")}</button>
		</div>
	</div>`;
}

/** In a video ring the first answers with the camera on, the second with it off. */
function answers(c: Controller, ring: Ring, video: boolean): TemplateResult {
	const { words, calling } = c;
	return html`${
		video
			? html`<button class="button go wide first" @click=${() => calling.answer(ring, true)}>${icon("video")} ${words.say("answerWithVideo")}</button>`
			: nothing
	}
		<button class="button ${video ? "soft" : "go"} wide" @click=${() => calling.answer(ring, false)}>${icon("phone")} ${words.say("answer")}</button>`;
}

function faceOf(c: Controller, ring: Ring) {
	const conversation = c.client?.conversations.get(ring.call.conversation);
	const face = conversation && c.people.faceOf(conversation);
	return face?.id === ring.from.user ? face : { id: ring.from.user, name: ring.from.name || ring.from.user };
}
