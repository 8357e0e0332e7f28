/**
 * Sounds without assets. A bell is a handful of partials that die away, the higher the sooner
 * (minor third above the prime: what makes it a bell and not an organ). Each sound is rendered
 * once into a buffer; loops are the audio thread's, so a hidden tab's slow timers do not matter.
 */
type Note = { at: number; hz: number; gain: number; length: number; bell?: boolean };
type Sound = { seconds: number; notes: Note[] };

const bell = (at: number, hz: number, gain = 0.5, length = 1.6): Note => ({
	at,
	hz,
	gain,
	length,
	bell: true,
});
const hum = (at: number, hz: number, length: number, gain = 0.12): Note => ({ at, hz, gain, length });

const sounds = {
	/** Four bells of a quarter, then air. */
	ringtone: {
		seconds: 3,
		notes: [
			bell(0, 659),
			bell(0.28, 831),
			bell(0.56, 740),
			bell(0.84, 494, 0.6),
			bell(1.4, 831, 0.25),
			bell(1.55, 988, 0.3),
		],
	},
	/** What the caller hears while it rings there. */
	ringback: { seconds: 4, notes: [hum(0, 440, 1), hum(0, 480, 1)] },
	waiting: { seconds: 4, notes: [bell(0, 988, 0.22, 0.5), bell(0.22, 988, 0.18, 0.5)] },
	joined: { seconds: 0.9, notes: [bell(0, 659, 0.25, 0.6), bell(0.12, 988, 0.25, 0.7)] },
	ended: { seconds: 0.9, notes: [bell(0, 587, 0.25, 0.5), bell(0.14, 392, 0.25, 0.7)] },
	message: { seconds: 0.6, notes: [bell(0, 1175, 0.16, 0.45), bell(0.07, 1568, 0.1, 0.45)] },
} satisfies Record<string, Sound>;

export type SoundName = keyof typeof sounds;

/** Ratio to the prime, loudness, share of the length. */
const partials: [ratio: number, gain: number, length: number][] = [
	[0.5, 0.35, 1],
	[1, 1, 0.8],
	[1.19, 0.4, 0.6],
	[2, 0.45, 0.45],
	[2.99, 0.2, 0.25],
	[4.1, 0.1, 0.15],
];

let context: AudioContext | undefined;
let refused = false;
const buffers = new Map<SoundName, Promise<AudioBuffer>>();

/** Plays once. Where the page may not play, nothing happens. */
export async function play(name: SoundName): Promise<void> {
	// A page that was never clicked may not, and the browser would write so to its console.
	if (navigator.userActivation?.hasBeenActive !== false) await start(name, false, AbortSignal.timeout(5000));
}

/** Plays over and over until the signal aborts. False: the browser lets this page play nothing yet. */
export function loop(name: SoundName, signal: AbortSignal): Promise<boolean> {
	return start(name, true, signal);
}

async function start(name: SoundName, again: boolean, signal: AbortSignal): Promise<boolean> {
	const audio = await running();
	if (!audio || signal.aborted) return false;
	const buffer = await rendered(name);
	if (signal.aborted) return false;
	const source = new AudioBufferSourceNode(audio, { buffer, loop: again });
	const volume = new GainNode(audio, { gain: 0.7 });
	source.connect(volume).connect(audio.destination);
	source.start();
	source.addEventListener("ended", () => volume.disconnect());
	const stop = () => {
		// A cut without a click: faded in 30 ms.
		volume.gain.setTargetAtTime(0, audio.currentTime, 0.01);
		source.stop(audio.currentTime + 0.05);
	};
	if (again) signal.addEventListener("abort", stop, { once: true });
	return true;
}

/** The context, once the browser lets it run; a page that was never clicked may wait for ever, so not longer than this. */
async function running(): Promise<AudioContext | undefined> {
	if (typeof AudioContext === "undefined") return undefined;
	context ??= new AudioContext({ latencyHint: "interactive" });
	if (context.state !== "running") {
		// Refused once, and not clicked since: the answer is known, and each try would be a line in the site's console.
		if (refused && navigator.userActivation?.hasBeenActive === false) return undefined;
		const resumed = context.resume().catch(() => {});
		await Promise.race([resumed, new Promise((done) => setTimeout(done, 250))]);
	}
	refused = (context.state as AudioContextState) !== "running";
	return refused ? undefined : context;
}

function rendered(name: SoundName): Promise<AudioBuffer> {
	let buffer = buffers.get(name);
	if (!buffer) buffers.set(name, (buffer = render(sounds[name])));
	return buffer;
}

function render(sound: Sound): Promise<AudioBuffer> {
	const rate = 44_100;
	const offline = new OfflineAudioContext(1, Math.ceil(sound.seconds * rate), rate);
	for (const note of sound.notes) {
		const parts: [number, number, number][] = note.bell ? partials : [[1, 1, 1]];
		for (const [ratio, gain, share] of parts)
			voice(offline, note, ratio, note.gain * gain * 0.4, note.length * share);
	}
	return offline.startRendering();
}

function voice(offline: OfflineAudioContext, note: Note, ratio: number, gain: number, length: number): void {
	const oscillator = new OscillatorNode(offline, { frequency: note.hz * ratio });
	const envelope = new GainNode(offline, { gain: 0 });
	envelope.gain.setValueAtTime(0, note.at);
	envelope.gain.linearRampToValueAtTime(gain, note.at + (note.bell ? 0.004 : 0.03));
	if (note.bell) envelope.gain.exponentialRampToValueAtTime(0.0001, note.at + length);
	else {
		envelope.gain.setValueAtTime(gain, note.at + length - 0.03);
		envelope.gain.linearRampToValueAtTime(0, note.at + length);
	}
	oscillator.connect(envelope).connect(offline.destination);
	oscillator.start(note.at);
	oscillator.stop(note.at + length + 0.05);
}
