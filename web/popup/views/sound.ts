/** The sound of a call: outside the panel, so that closing it silences nobody. */

import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Actions } from "../actions.ts";
import type { Screen } from "../screen.ts";
import { stream } from "./stream.ts";

export function soundView(screen: Screen, actions: Actions): TemplateResult | typeof nothing {
	const { call, speaker } = screen;
	if (call.kind !== "here") return nothing;
	// Once a device is open the browser may allow sound after all, so the visitor is not asked before that is known.
	const ask = screen.soundBlocked && !call.leg.opening;
	return html`<div hidden>
			${repeat(
				call.leg.audio,
				(audio) => audio,
				(audio) =>
					html`<audio autoplay .srcObject=${stream(audio)} data-speaker=${speaker} @canplay=${(e: Event) => play(actions, e.target as HTMLAudioElement)}></audio>`,
			)}
		</div>
		${ask ? unblock(screen, actions) : nothing}`;
}

/**
 * Plays what the browser has refused to play. It allows sound in a page that was clicked or typed in, and in one that has a
 * microphone or a camera open, so this is tried after each of these.
 */
export function playRefused(root: ParentNode, actions: Actions): void {
	for (const audio of root.querySelectorAll("audio")) if (audio.paused) play(actions, audio);
}

function play(actions: Actions, audio: HTMLAudioElement): void {
	const speaker = audio.dataset.speaker ?? "";
	// A speaker that is gone: the default plays.
	if ("setSinkId" in audio && speaker !== (audio.sinkId ?? "")) void audio.setSinkId(speaker).catch(() => {});
	audio.play().then(
		() => actions.soundBlocked(false),
		(error: unknown) => {
			if (error instanceof DOMException && error.name === "NotAllowedError") actions.soundBlocked(true);
		},
	);
}

/** The last resort: the visitor is asked to click. */
function unblock({ words }: Screen, actions: Actions): TemplateResult {
	const click = (event: Event) => {
		playRefused((event.currentTarget as HTMLElement).getRootNode() as ShadowRoot, actions);
	};
	return html`<div class="sound-blocked" role="alert">
		<p>${words.say("soundBlocked")}</p>
		<button class="button wide" @click=${click}>${words.say("playSound")}</button>
	</div>`;
}

/** Applies a newly chosen speaker to what already plays. */
export function useSpeaker(root: ParentNode, speaker: string): void {
	for (const audio of root.querySelectorAll("audio"))
		if ("setSinkId" in audio) void audio.setSinkId(speaker).catch(() => {});
}
