/** The menu beside the call buttons and in a call: which devices, how one looks, whether one is heard. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Actions } from "../actions.ts";
import type { DeviceMenu } from "../calls/shown.ts";
import { icon } from "../icons.calls.ts";
import { deviceText } from "../problems.ts";
import type { Words } from "../strings/index.ts";
import { useSpeaker } from "./sound.ts";
import { stream } from "./stream.ts";

export function devicesView(words: Words, menu: DeviceMenu, actions: Actions): TemplateResult {
	const { inCall, picture, level, problem, chosen } = menu;
	const speakers = "setSinkId" in HTMLMediaElement.prototype;
	return html`<div class="devices ${inCall ? "compact" : ""}" role="group" aria-label=${words.say("deviceMenu")}>
		${
			inCall
				? nothing
				: html`<div class="mirror">
						${picture ? html`<video muted autoplay playsinline aria-label=${words.say("preview")} .srcObject=${stream(picture)} .muted=${true}></video>` : html`<span>${icon("videoOff", "big")} ${words.say("previewOff")}</span>`}
					</div>
					<div class="meter" role="meter" aria-label=${words.say("level")} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(level * 100)}>
						${icon("mic")}<span>${Array.from({ length: 20 }, (_, i) => html`<i class=${level * 20 > i ? "lit" : ""}></i>`)}</span>
					</div>`
		}
		${problem ? html`<p class="problem" role="alert">${deviceText(problem.source, problem.reason, words)}</p>` : nothing}
		${select(words, menu, "videoinput", words.say("camera"), chosen.camera, (camera) => actions.chooseDevices({ camera }))}
		${select(words, menu, "audioinput", words.say("microphone"), chosen.microphone, (microphone) => actions.chooseDevices({ microphone }))}
		${
			speakers
				? select(words, menu, "audiooutput", words.say("speaker"), chosen.speaker, (speaker, from) => {
						actions.chooseDevices({ speaker });
						useSpeaker(from.getRootNode() as ShadowRoot, speaker);
					})
				: nothing
		}
		<button class="button wide soft" @click=${() => actions.toggleDevices()}>${words.say("done")}</button>
	</div>`;
}

function select(
	words: Words,
	menu: DeviceMenu,
	kind: MediaDeviceKind,
	name: string,
	chosen: string | undefined,
	choose: (id: string, from: Element) => void,
): TemplateResult {
	const found = menu.found.filter(
		(device) => device.kind === kind && device.deviceId && device.deviceId !== "default",
	);
	return html`<label class="choice">
		<span>${name}</span>
		<select @change=${(e: Event) => choose((e.target as HTMLSelectElement).value, e.target as Element)}>
			<option value="" ?selected=${!chosen}>${words.say("systemDefault")}</option>
			${found.map((device, i) => html`<option value=${device.deviceId} ?selected=${device.deviceId === chosen}>${device.label || `${name} ${i + 1}`}</option>`)}
		</select>
	</label>`;
}
