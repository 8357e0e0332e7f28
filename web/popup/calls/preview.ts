/** Camera and microphone before a call: open only while the menu of devices is. */

import { DeviceError } from "../../sdk/errors.ts";
import type { Client, DeviceReason, Source } from "../../sdk/index.ts";
import { choiceOf, type Devices } from "./devices.ts";

export class Preview {
	stream: MediaStream | undefined;
	problem: { source: Source; reason: DeviceReason } | undefined;
	found: readonly MediaDeviceInfo[] = [];
	/** Of the microphone, 0–1. */
	level = 0;

	readonly #client: Client;
	readonly #changed: () => void;
	readonly #closed = new AbortController();
	#using: AbortController | undefined;

	constructor(client: Client, changed: () => void) {
		this.#client = client;
		this.#changed = changed;
	}

	/** Opens these devices instead of the ones before. Without `capture` it only lists. */
	async use(devices: Devices, capture: boolean): Promise<void> {
		this.#using?.abort();
		const using = new AbortController();
		this.#using = using;
		const signal = AbortSignal.any([using.signal, this.#closed.signal]);
		this.stream = this.problem = undefined;
		if (capture) await this.#open(devices, signal);
		const found = await this.#client.calls.devices().catch(() => []);
		if (signal.aborted) return;
		this.found = found;
		this.#changed();
	}

	close(): void {
		this.#closed.abort();
		this.stream = undefined;
	}

	async #open(chosen: Devices, signal: AbortSignal): Promise<void> {
		const devices = choiceOf(chosen);
		const ask = (what: { camera: boolean; microphone: boolean }) =>
			this.#client.calls.preview({ ...what, devices, signal });
		try {
			this.stream = await ask({ camera: true, microphone: true });
		} catch (error) {
			if (signal.aborted) return;
			if (error instanceof DeviceError) this.problem = { source: error.source, reason: error.reason };
			// One of the two may still be had.
			const rest =
				this.problem?.source === "camera"
					? { camera: false, microphone: true }
					: { camera: true, microphone: false };
			this.stream = await ask(rest).catch(() => undefined);
		}
		if (!signal.aborted && this.stream?.getAudioTracks().length) this.#measure(this.stream, signal);
		if (!signal.aborted) this.#changed();
	}

	#measure(stream: MediaStream, signal: AbortSignal): void {
		const audio = new AudioContext();
		const analyser = new AnalyserNode(audio, { fftSize: 512 });
		audio.createMediaStreamSource(stream).connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		const timer = setInterval(() => {
			analyser.getFloatTimeDomainData(samples);
			const power = samples.reduce((sum, s) => sum + s * s, 0) / samples.length;
			// −60 dB is nothing, −10 dB is full: how loud people think it is.
			this.level = Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 60) / 50));
			this.#changed();
		}, 120);
		signal.addEventListener("abort", () => {
			clearInterval(timer);
			void audio.close();
		});
	}
}
