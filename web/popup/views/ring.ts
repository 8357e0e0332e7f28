/** Someone calls. Not modal: it lies beside everything else and takes no focus. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Actions } from "../actions.ts";
import { icon } from "../icons.ts";
import type { RingCard, Screen } from "../screen.ts";
import { avatar } from "./avatar.ts";

export function ringsView(screen: Screen, actions: Actions): TemplateResult | typeof nothing {
	const { rings } = screen;
	if (rings.length === 0) return nothing;
	return html`<div class="rings">${repeat(
		rings,
		({ ring }) => ring.id,
		(card) => ringView(screen, card, actions),
	)}</div>`;
}

function ringView(screen: Screen, { ring, impossible }: RingCard, actions: Actions): TemplateResult {
	const { words } = screen;
	const video = ring.media === "video";
	const face = screen.faces.get(ring.from.user) ?? { id: ring.from.user, name: ring.from.user };
	const name = ring.from.name || ring.from.user;
	const title = words.say(video ? "incomingVideo" : "incomingVoice", { name });
	const kind = words.say(video ? "videoRing" : "voiceRing");
	return html`<div class="ring" role="alertdialog" aria-label=${title} aria-describedby="ring-${ring.id}">
		<div class="row">
			<span class="pulse">${avatar(face, "medium")}</span>
			<span class="summary">
				<span class="name"><bdi>${name}</bdi></span>
				<span class="detail" id="ring-${ring.id}">${ring.waiting ? `${words.say("waiting")} · ${kind}` : kind}</span>
			</span>
			${
				ring.silenced || ring.waiting
					? nothing
					: html`<button class="button plain" aria-label=${words.say("silence")} title=${words.say("silence")} @click=${() => actions.silence(ring.id)}>${icon("bellOff")}</button>`
			}
		</div>
		${impossible ? html`<p class="no-calls">${words.say(impossible)}</p>` : nothing}
		<div class="choices ${video ? "video" : ""}">
			${impossible ? nothing : answers(screen, ring.id, video, actions)}
			<button class="button danger wide" @click=${() => actions.decline(ring.id)}>${icon("hangUp", "filled")} ${words.say("decline")}</button>
		</div>
	</div>`;
}

/** In a video ring the first answers with the camera on, the second with it off. */
function answers({ words }: Screen, call: string, video: boolean, actions: Actions): TemplateResult {
	return html`${
		video
			? html`<button class="button go wide first" @click=${() => actions.answer(call, true)}>${icon("video")} ${words.say("answerWithVideo")}</button>`
			: nothing
	}
		<button class="button ${video ? "soft" : "go"} wide" @click=${() => actions.answer(call, false)}>${icon("phone")} ${words.say("answer")}</button>`;
}
