/** Which line shows whom, as streams per participant. A stream is made anew when its line shows someone else. */
import type { Remote } from "../types.calls.ts";
import type { Slot, Source } from "../wire.gen.ts";

const field: Record<Source, "audio" | "camera" | "screen"> = {
	microphone: "audio",
	camera: "camera",
	screen: "screen",
};

export class Remotes {
	#slots: readonly Slot[] = [];
	/** mid + participant + source → stream, for as long as that line shows that source. */
	#streams = new Map<string, MediaStream>();
	#remotes: ReadonlyMap<string, Remote> = new Map();

	get remotes(): ReadonlyMap<string, Remote> {
		return this.#remotes;
	}

	get slots(): readonly Slot[] {
		return this.#slots;
	}

	/** `track` finds the track of a line. A new connection passes its own, and all streams are new. */
	assign(slots: readonly Slot[], track: (mid: string) => MediaStreamTrack | undefined, anew = false): void {
		const streams = new Map<string, MediaStream>();
		const remotes = new Map<string, { -readonly [K in keyof Remote]: Remote[K] }>();
		for (const { mid, participant, source } of slots) {
			if (!participant || !source) continue;
			const key = `${mid} ${source} ${participant}`;
			const t = track(mid);
			if (!t) continue;
			const stream = (!anew && this.#streams.get(key)) || new MediaStream([t]);
			streams.set(key, stream);
			const remote = remotes.get(participant) ?? { user: participant };
			remote[field[source]] = stream;
			remotes.set(participant, remote);
		}
		this.#slots = slots;
		this.#streams = streams;
		this.#remotes = remotes;
	}

	/** Lines that hear a user. */
	hearing(user: string): string[] {
		return this.#slots.filter((s) => s.participant === user && s.source === "microphone").map((s) => s.mid);
	}
}
