import { vi } from "vitest";

/** A PeerConnection without a network: it connects when the test says so, and counts what is asked of it. */
export class FakePeerConnection extends EventTarget {
	static made: FakePeerConnection[] = [];
	/** How long a local description takes. */
	static describing: Promise<void> | undefined;

	connectionState: RTCPeerConnectionState = "new";
	signalingState: RTCSignalingState = "stable";
	localDescription: RTCSessionDescriptionInit | null = null;
	remoteDescription: RTCSessionDescriptionInit | null = null;
	restarts = 0;
	/** Bytes that have arrived; grows while `talking`. */
	received = 0;
	talking = true;
	readonly #transceivers: { mid: string | null }[] = [];
	/** By label. */
	readonly channels = new Map<string, FakeChannel>();

	constructor(readonly config: RTCConfiguration) {
		super();
		FakePeerConnection.made.push(this);
	}

	get closed(): boolean {
		return this.connectionState === "closed";
	}

	addTransceiver(kind: string): object {
		const sender = { track: null, replaceTrack: async () => {} };
		const t = { mid: null, sender, receiver: { track: { kind } } };
		this.#transceivers.push(t);
		return t;
	}

	getTransceivers(): object[] {
		return this.#transceivers;
	}

	createDataChannel(label: string): object {
		const channel: FakeChannel = { label, readyState: "connecting", send: () => {} };
		this.channels.set(label, channel);
		return channel;
	}

	async createOffer(): Promise<RTCSessionDescriptionInit> {
		return { type: "offer", sdp: `offer of ${FakePeerConnection.made.indexOf(this)}` };
	}

	/** The transceivers get their mids. */
	async setLocalDescription(d: RTCSessionDescriptionInit): Promise<void> {
		await FakePeerConnection.describing;
		for (const [n, t] of this.#transceivers.entries()) t.mid = `${n}`;
		this.localDescription = d;
		this.signalingState = "have-local-offer";
	}

	async setRemoteDescription(d: RTCSessionDescriptionInit): Promise<void> {
		this.remoteDescription = d;
		this.signalingState = "stable";
	}

	setConfiguration(): void {}

	restartIce(): void {
		this.restarts++;
	}

	async getStats(): Promise<Map<string, object>> {
		if (this.talking) this.received += 100;
		return new Map([["T", { type: "transport", bytesReceived: this.received }]]);
	}

	close(): void {
		this.connectionState = "closed";
	}

	/** What ICE and DTLS come to. */
	becomes(state: RTCPeerConnectionState): void {
		this.connectionState = state;
		this.dispatchEvent(new Event("connectionstatechange"));
	}
}

interface FakeChannel {
	readonly label: string;
	readonly readyState: string;
	send(): void;
	onmessage?: (e: { data: unknown }) => void;
}

class FakeTrack extends EventTarget {
	enabled = true;
	readyState = "live";

	constructor(readonly kind: string) {
		super();
	}

	stop(): void {
		this.readyState = "ended";
	}
}

class FakeStream {
	readonly #tracks: FakeTrack[];

	constructor(tracks: FakeTrack[]) {
		this.#tracks = tracks;
	}

	getTracks(): FakeTrack[] {
		return this.#tracks;
	}

	getAudioTracks(): FakeTrack[] {
		return this.#tracks.filter((t) => t.kind === "audio");
	}

	getVideoTracks(): FakeTrack[] {
		return this.#tracks.filter((t) => t.kind === "video");
	}
}

/** A browser with a camera and a microphone that may be opened, and no network. Undo it with `vi.unstubAllGlobals`. */
export function stubMedia(): void {
	FakePeerConnection.made = [];
	FakePeerConnection.describing = undefined;
	const getUserMedia = async (want: { audio?: unknown; video?: unknown }) =>
		new FakeStream([
			...(want.audio ? [new FakeTrack("audio")] : []),
			...(want.video ? [new FakeTrack("video")] : []),
		]);
	vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
	vi.stubGlobal("RTCRtpReceiver", {});
	vi.stubGlobal("MediaStream", FakeStream);
	vi.stubGlobal("navigator", {
		mediaDevices: { getUserMedia },
		permissions: { query: async () => ({ state: "granted" }) },
	});
}
