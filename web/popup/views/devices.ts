/** The menu beside the call buttons and in a call: which devices, how one looks, whether one is heard. */
import { html, nothing, type TemplateResult } from "lit";
import type { Controller } from "../controller.ts";
import { icon } from "../icons.ts";
import { Preview } from "../preview.ts";
import { deviceText } from "../problems.ts";
import { useSpeaker } from "./sound.ts";
import { stream } from "./stream.ts";

const previews = new WeakMap<Controller, Preview>();

/** The open menu. The preview lives as long as the menu's element: `closed` gives the devices back. */
export function devicesView(c: Controller): TemplateResult | typeof nothing {
	const { client, words, calling } = c;
	if (!client) return nothing;
	const { screen } = calling;
	const inCall = screen.kind === "here";
	let preview = previews.get(c);
	if (!preview) {
		preview = new Preview(client, () => c.changed());
		previews.set(c, preview);
		void preview.use(calling.devices, !inCall);
	}
	const shown = preview;
	const choose = (choice: object) => {
		void calling.choose(choice);
		if (!inCall && !("speaker" in choice)) void shown.use(calling.devices, true);
	};
	const seen = inCall ? screen.leg.preview : shown.stream;
	const picture = seen?.getVideoTracks().length ? seen : undefined;
	const speakers = "setSinkId" in HTMLMediaElement.prototype;
	return html`<div class="devices" role="group" aria-label=${words.say("deviceMenu")}>
		${
			inCall
				? nothing
				: html`<div class="mirror">
						${picture ? html`<video muted autoplay playsinline aria-label=${words.say("preview")} .srcObject=${stream(picture)} .muted=${true}></video>` : html`<span>${icon("videoOff", "big")} ${words.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${words.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(shown.level * 100)}>
						${icon("mic")}<span>${Array.from({ length: 20 }, (_, i) => html`<i class=${shown.level * 20 > i ? "lit" : ""}></i>`)}</span>
					</div>`
		}
		${shown.problem ? html`<p class="problem" role="alert">${deviceText(shown.problem.source, shown.problem.reason, words)}</p>` : nothing}
		${select(c, shown, "videoinput", words.say("camera"), calling.devices.camera, (camera) => choose({ camera }))}
		${select(c, shown, "audioinput", words.say("microphone"), calling.devices.microphone, (microphone) => choose({ microphone }))}
		${
			speakers
				? select(c, shown, "audiooutput", words.say("speaker"), calling.devices.speaker, (speaker, from) => {
						choose({ speaker });
						useSpeaker(from.getRootNode() as ShadowRoot, speaker);
					})
				: nothing
		}
		<button class="button wide soft" @click=${() => c.change({ type: "devices" })}>${words.say("done")}</button>
	</div>`;
}

/** The menu is gone: so is what it had opened. */
export function devicesClosed(c: Controller): void {
	previews.get(c)?.close();
	previews.delete(c);
}

function select(
	c: Controller,
	preview: Preview,
	kind: MediaDeviceKind,
	name: string,
	chosen: string | undefined,
	choose: (id: string, from: Element) => void,
): TemplateResult {
	const found = preview.found.filter(
		(device) => device.kind === kind && device.deviceId && device.deviceId !== "default",
	);
	return html`<label class="choice">
		<span>${name}</span>
		<select @change=${(e: Event) => choose((e.target as HTMLSelectElement).value, e.target as Element)}>
			<option value="" ?selected=${!chosen}>${c.words.say("systemDefault")}</option>
			${found.map((device, i) => html`<option value=${device.deviceId} ?selected=${device.deviceId === chosen}>${device.label || `${name} ${i + 1}`}</option>`)}
		</select>
	</label>`;
}
