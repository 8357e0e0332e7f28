/**
 * What runs in a page before its own scripts, so that a test can ask later: which connections there are, how often they
 * offered, what is captured, what sounds. Nothing of the product is changed; only the camera's picture is kept small,
 * because the machine that runs this may have two cores.
 */
export interface Probe {
	readonly peers: RTCPeerConnection[];
	readonly captured: MediaStreamTrack[];
	/** Sounds that go on until they are stopped: the ring, and what the caller hears. */
	readonly loops: Set<AudioBufferSourceNode>;
	offers: number;
	/** When pages were shown, and whether they came out of the back/forward cache. */
	readonly shown: boolean[];
}

export interface ProbeOptions {
	/** Only through TURN, by this transport. */
	relay?: "udp" | "tcp";
	/** The camera as the product asks for it. */
	largePicture?: boolean;
	/** Devices take this long to open, as real ones may. */
	devicesMs?: number;
}

declare global {
	interface Window {
		probe: Probe;
	}
}

export function install(options: ProbeOptions): void {
	const probe: Probe = { peers: [], captured: [], loops: new Set(), offers: 0, shown: [] };
	window.probe = probe;
	window.addEventListener("pageshow", (event) => probe.shown.push(event.persisted));

	const relays = (config: RTCConfiguration = {}): RTCConfiguration => ({
		...config,
		iceTransportPolicy: "relay",
		iceServers: (config.iceServers ?? []).map((server) => ({
			...server,
			urls: [server.urls].flat().filter((url) => url.endsWith(`transport=${options.relay}`)),
		})),
	});
	const Connection = window.RTCPeerConnection;
	if (Connection)
		window.RTCPeerConnection = class extends Connection {
			constructor(config?: RTCConfiguration) {
				super(options.relay ? relays(config) : config);
				probe.peers.push(this);
			}
			override async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
				if (description?.type === "offer") probe.offers++;
				return super.setLocalDescription(description);
			}
		};

	const media = navigator.mediaDevices; // undefined on an insecure page
	if (media) {
		const open = media.getUserMedia.bind(media);
		media.getUserMedia = async (wish) => {
			const small =
				wish?.video && typeof wish.video === "object" && !options.largePicture
					? { ...wish, video: { ...wish.video, width: 320, height: 240, frameRate: 10 } }
					: wish;
			if (options.devicesMs) await new Promise((done) => setTimeout(done, options.devicesMs));
			const stream = await open(small);
			probe.captured.push(...stream.getTracks());
			return stream;
		};
	}

	const start = AudioBufferSourceNode.prototype.start;
	AudioBufferSourceNode.prototype.start = function (...times) {
		if (this.loop) {
			probe.loops.add(this);
			this.addEventListener("ended", () => probe.loops.delete(this));
		}
		return start.apply(this, times);
	};
}
