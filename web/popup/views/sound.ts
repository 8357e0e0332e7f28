/** The sound of a call: outside the panel, so that closing it silences nobody. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Controller } from "../controller.ts";
import { stream } from "./stream.ts";

/** Controllers whose browser refused to play until a click. */
const blocked = new WeakSet<Controller>();

export function soundView(c: Controller): TemplateResult | typeof nothing {
	const { screen } = c.calling;
	if (screen.kind !== "here") return nothing;
	const { speaker } = c.calling.devices;
	return html`<div hidden>
			${repeat(
				screen.leg.audio,
				(source) => source,
				(source) =>
					html`<audio autoplay .srcObject=${stream(source)} data-speaker=${speaker ?? ""} @canplay=${(e: Event) => start(c, e.target as HTMLAudioElement)}></audio>`,
			)}
		</div>
		${blocked.has(c) ? unblock(c) : nothing}`;
}

function start(c: Controller, audio: HTMLAudioElement): void {
	const speaker = c.calling.devices.speaker ?? "";
	// A speaker that is gone: the default plays.
	if ("setSinkId" in audio && speaker !== (audio.sinkId ?? "")) void audio.setSinkId(speaker).catch(() => {});
	audio.play().then(
		() => blocked.delete(c) && c.changed(),
		(error: unknown) => {
			if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
			blocked.add(c);
			c.changed();
		},
	);
}

function unblock(c: Controller): TemplateResult {
	const click = (event: Event) => {
		const root = (event.currentTarget as HTMLElement).getRootNode() as ShadowRoot;
		for (const audio of root.querySelectorAll("audio")) start(c, audio);
	};
	return html`<div class="sound-blocked" role="alert">
		<p>${c.words.say("soundBlocked")}</p>
		<button class="button wide" @click=${click}>${c.words.say("playSound")}</button>
	</div>`;
}

/** Applies a newly chosen speaker to what already plays. */
export function useSpeaker(root: ParentNode, speaker: string): void {
	for (const audio of root.querySelectorAll("audio"))
		if ("setSinkId" in audio) void audio.setSinkId(speaker).catch(() => {});
}
