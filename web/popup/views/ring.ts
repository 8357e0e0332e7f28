/** Someone calls. Not modal: it lies beside everything else and takes no focus. */

import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Actions } from "../actions.ts";
import type { RingCard } from "../calls/shown.ts";
import { nameOf } from "../calls/words.ts";
import { type IconName, icon } from "../icons.calls.ts";
import type { Screen } from "../screen.ts";
import type { Text } from "../strings/index.ts";
import { avatar } from "./avatar.ts";
import { othersView } from "./others.ts";

export function ringsView(screen: Screen, actions: Actions): TemplateResult | typeof nothing {
	const { rings } = screen;
	if (rings.length === 0) return nothing;
	return html`<div class="rings">${repeat(
		rings,
		({ ring }) => ring.id,
		(card) => ringView(screen, card, actions),
	)}</div>`;
}

function ringView(screen: Screen, card: RingCard, actions: Actions): TemplateResult {
	const { ring, impossible, problem, holds } = card;
	const { words } = screen;
	const video = ring.media === "video";
	const face = screen.faces.get(ring.from.user) ?? { id: ring.from.user, name: ring.from.user };
	const title = words.say(video ? "incomingVideo" : "incomingVoice", { name: nameOf(ring.from, words) });
	const kind = words.say(video ? "videoRing" : "voiceRing");
	return html`<div class="ring" role="alertdialog" aria-label=${title} aria-describedby="ring-${ring.id}">
		<div class="row">
			<span class="pulse">${avatar(face, "medium")}</span>
			<span class="summary">
				${othersView(words, [ring.from])}
				<span class="detail" id="ring-${ring.id}">${ring.waiting ? `${words.say("waiting")} · ${kind}` : kind}</span>
			</span>
			${
				ring.silenced || ring.waiting
					? nothing
					: html`<button class="button plain" aria-label=${words.say("silence")} title=${words.say("silence")} @click=${() => actions.silence(ring.id)}>${icon("bellOff")}</button>`
			}
		</div>
		${impossible ? html`<p class="no-calls">${words.say(impossible)}</p>` : nothing}
		${holds && !impossible ? html`<p class="note">${words.say("answerHolds", { name: holds })}</p>` : nothing}
		${problem ? html`<p class="problem" role="alert">${problem.text}</p>` : nothing}
		<div class="choices">
			${impossible ? nothing : answers(screen, card, actions)}
			<button class="button danger wide" @click=${() => actions.decline(ring.id)}>${icon("hangUp", "filled")} ${words.say("decline")}</button>
		</div>
	</div>`;
}

/** In a video ring the first answers with the camera on, the second with it off. */
function answers({ words }: Screen, { ring, problem }: RingCard, actions: Actions): TemplateResult {
	const video = ring.media === "video";
	const button = (name: Text, image: IconName, style: string, camera: boolean, microphone = true) =>
		html`<button class="button wide ${style}" @click=${() => actions.answer(ring.id, { camera, microphone })}>${icon(image)} ${words.say(name)}</button>`;
	return html`
		${problem?.microphone ? button("answerMuted", "micOff", "go first", false, false) : nothing}
		${video ? button("answerWithVideo", "video", problem ? "soft first" : "go first", true) : nothing}
		${button("answer", "phone", video || problem ? "soft" : "go", false)}
	`;
}
