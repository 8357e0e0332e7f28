/** The sound of a call: outside the panel, so that closing it silences nobody. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Actions } from "../actions.ts";
import type { Screen } from "../screen.ts";
import { stream } from "./stream.ts";

export function soundView(screen: Screen, actions: Actions): TemplateResult | typeof nothing {
	const { call, speaker } = screen;
	if (call.kind !== "here") return nothing;
	return html`<div hidden>
			${repeat(
				call.leg.audio,
				(source) => source,
				(source) =>
					html`<audio autoplay .srcObject=${stream(source)} data-speaker=${speaker} @canplay=${(e: Event) => start(actions, e.target as HTMLAudioElement)}></audio>`,
			)}
		</div>
		${screen.soundBlocked ? unblock(screen, actions) : nothing}`;
}

function start(actions: Actions, audio: HTMLAudioElement): void {
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

function unblock({ words }: Screen, actions: Actions): TemplateResult {
	const click = (event: Event) => {
		const root = (event.currentTarget as HTMLElement).getRootNode() as ShadowRoot;
		for (const audio of root.querySelectorAll("audio")) start(actions, audio);
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
