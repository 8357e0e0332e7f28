/**
 * What a leg sends: which devices the user wants on, which are open, and the tracks they give. Nothing here renegotiates.
 * A muted microphone stays open, so that it is unmuted at once; a camera that is off is given back; a leg on hold has neither.
 */
import { DeviceError } from "../errors.ts";
import type { DeviceChoice, DeviceReason } from "../types.ts";
import { type Captured, capture, deviceError, stop } from "./devices.ts";
import type { Peer } from "./peer.ts";

export type LocalSource = "microphone" | "camera";

export interface SenderOptions {
	microphone: boolean;
	camera: boolean;
	devices: DeviceChoice;
	/** Ends with the leg. */
	life: AbortSignal;
	peer(): Peer | undefined;
	changed(): void;
	/** A device that was wanted could not be opened, or not again, and counts as off now. */
	switchedOff(source: LocalSource): void;
}

export class Senders {
	microphone: boolean;
	camera: boolean;
	held = false;
	/** What the click, or the page before this one, asked for has not arrived yet. */
	opening = true;
	devices: DeviceChoice;
	preview: MediaStream | undefined;
	problem: { readonly source: LocalSource; readonly reason: DeviceReason } | undefined;
	readonly #o: SenderOptions;
	readonly #tracks: Partial<Record<LocalSource, MediaStreamTrack>> = {};

	constructor(o: SenderOptions) {
		this.#o = o;
		this.microphone = o.microphone;
		this.camera = o.camera;
		this.devices = o.devices;
		o.life.addEventListener("abort", () => {
			this.#drop("microphone");
			this.#drop("camera");
		});
	}

	/** The devices that were opened when the user clicked. */
	async captured(got: Captured): Promise<void> {
		this.opening = false;
		if (this.#o.life.aborted || this.held) return stop(got.microphone, got.camera);
		const { camera, ...voice } = got;
		if (!this.camera) stop(camera);
		this.#take(this.camera ? got : voice);
		await this.attach();
		this.#o.changed();
	}

	/** Turns a device on or off. Fails with `DeviceError` and leaves everything as it was. */
	async switch(source: LocalSource, on: boolean): Promise<void> {
		const before = this[source];
		this[source] = on;
		if (source === "camera" && !on) this.#drop("camera");
		else if (on && !this.held && !this.#tracks[source]) {
			try {
				await this.#use(source, await this.#open(source, this.devices));
			} catch (err) {
				this[source] = before;
				this.#o.changed();
				throw err;
			}
		}
		if (this.problem?.source === source) this.problem = undefined;
		await this.attach();
		this.#o.changed();
	}

	async hold(held: boolean): Promise<void> {
		if (held === this.held || this.#o.life.aborted) return;
		this.held = held;
		for (const source of ["microphone", "camera"] as const) {
			if (held) this.#drop(source);
			else if (this[source])
				await this.#open(source, this.devices).then(
					(got) => this.#use(source, got),
					(err) => this.#switchOff(deviceError(source, err)),
				);
		}
		await this.attach();
		this.#o.changed();
	}

	/** Changes devices. Fails with `DeviceError` and keeps the old one. */
	async choose(choice: DeviceChoice): Promise<void> {
		for (const source of ["microphone", "camera"] as const) {
			const id = choice[source];
			if (id === undefined || id === this.devices[source]) continue;
			const devices = { ...this.devices, [source]: id };
			if (this.#tracks[source]) await this.#use(source, await this.#open(source, devices));
			this.devices = devices;
		}
		this.#o.changed();
	}

	/** Makes the PeerConnection send what is wanted. */
	async attach(peer = this.#o.peer()): Promise<void> {
		const { microphone, camera } = this.#tracks;
		if (microphone) microphone.enabled = this.microphone;
		await Promise.all([
			peer?.send("microphone", (!this.held && microphone) || null),
			peer?.send("camera", (!this.held && camera) || null),
		]);
	}

	async #open(source: LocalSource, devices: DeviceChoice): Promise<Captured> {
		const want = { microphone: source === "microphone", camera: source === "camera" };
		try {
			return await capture(want, devices, this.#o.life);
		} catch (err) {
			if (!this.#o.life.aborted && err instanceof DeviceError) {
				this.problem = { source, reason: err.reason };
				this.#o.changed();
			}
			throw err;
		}
	}

	async #use(source: LocalSource, got: Captured): Promise<void> {
		// While the browser asked the user, it may have been turned off, the call put on hold, or ended.
		const unwanted = this.#o.life.aborted || this.held || (source === "camera" && !this.camera);
		if (unwanted) return stop(got.microphone, got.camera);
		const old = this.#tracks[source];
		this.#take(got);
		await this.attach();
		stop(old);
	}

	#take(got: Captured): void {
		for (const source of ["microphone", "camera"] as const) {
			const track = got[source];
			if (!track) continue;
			this.#tracks[source] = track;
			track.addEventListener("ended", () => this.#unplugged(source, track), { signal: this.#o.life });
		}
		if (got.camera) this.preview = new MediaStream([got.camera]);
		if (got.problem) this.#switchOff(got.problem);
	}

	/** The device was unplugged: takes another one, else says so. */
	#unplugged(source: LocalSource, track: MediaStreamTrack): void {
		if (this.#tracks[source] !== track || this.#o.life.aborted) return;
		this.#drop(source);
		const { [source]: _, ...others } = this.devices;
		this.devices = others;
		this.#open(source, others).then(
			(got) => this.#use(source, got),
			(err) => this.#switchOff(deviceError(source, err)),
		);
	}

	#switchOff(err: DeviceError): void {
		if (err.source === "screen" || this.#o.life.aborted) return;
		this.problem = { source: err.source, reason: err.reason };
		this[err.source] = false;
		this.#o.switchedOff(err.source);
		this.#o.changed();
	}

	#drop(source: LocalSource): void {
		stop(this.#tracks[source]);
		delete this.#tracks[source];
		if (source === "camera") this.preview = undefined;
	}
}
