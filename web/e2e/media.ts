import { expect } from "@playwright/test";
import type {} from "./probe.ts";

/** A function that runs in the page and sees nothing of the test but its argument. */
export type InPage<Result, Argument> = (argument: Argument) => Result | Promise<Result>;

/** An open page in which a test may run functions, in whichever browser. */
export interface Scripted {
	evaluate<Result, Argument = undefined>(
		inPage: InPage<Result, Argument>,
		argument?: Argument,
	): Promise<Result>;
	bringToFront(): Promise<void>;
}

const intervals = [100];

export interface Received {
	framesDecoded: number;
	audioEnergy: number;
	audioPackets: number;
	/** How the page reaches the TURN relay that carries it; undefined when no relay does. */
	relay?: string;
}

/** What all open PeerConnections of a page have received since they were made. */
export async function received(page: Scripted): Promise<Received> {
	return page.evaluate(async () => {
		const sum: Received = { framesDecoded: 0, audioEnergy: 0, audioPackets: 0 };
		for (const pc of window.probe.peers) {
			if (pc.connectionState === "closed") continue;
			const stats = await pc.getStats();
			for (const s of stats.values()) {
				if (s.type === "inbound-rtp" && s.kind === "video") sum.framesDecoded += s.framesDecoded ?? 0;
				if (s.type === "inbound-rtp" && s.kind === "audio") {
					sum.audioEnergy += s.totalAudioEnergy ?? 0;
					sum.audioPackets += s.packetsReceived ?? 0;
				}
				if (s.type === "transport" && s.selectedCandidatePairId) {
					const local = stats.get(stats.get(s.selectedCandidatePairId)?.localCandidateId);
					if (local?.candidateType === "relay") sum.relay = local.relayProtocol;
				}
			}
		}
		return sum;
	});
}

/** The pixels of the largest video on screen, made small; undefined while there is none. */
async function picture(page: Scripted): Promise<number[] | undefined> {
	return page.evaluate(() => {
		const videos: HTMLVideoElement[] = [];
		const walk = (node: ParentNode): void => {
			for (const e of node.querySelectorAll("*")) {
				if (e instanceof HTMLVideoElement && e.videoWidth > 0) videos.push(e);
				if (e.shadowRoot) walk(e.shadowRoot);
			}
		};
		walk(document);
		const area = (v: HTMLVideoElement) => v.clientWidth * v.clientHeight;
		const video = videos.sort((a, b) => area(b) - area(a))[0];
		if (!video) return undefined;
		const canvas = document.createElement("canvas");
		canvas.width = 32;
		canvas.height = 24;
		const draw = canvas.getContext("2d");
		draw?.drawImage(video, 0, 0, 32, 24);
		return [...(draw?.getImageData(0, 0, 32, 24).data ?? [])];
	});
}

/** Waits until new frames are decoded, the picture on screen changes, and sound has energy. */
export async function seesAndHears(page: Scripted): Promise<void> {
	await page.bringToFront(); // a tab in the background paints no picture
	const before = await received(page);
	await expect
		.poll(async () => (await received(page)).framesDecoded, { message: "frames decoded", intervals })
		.toBeGreaterThan(before.framesDecoded + 3);
	let first: number[] | undefined;
	await expect
		.poll(
			async () => {
				const now = await picture(page);
				first ??= now;
				return now?.some((value, i) => Math.abs(value - (first?.[i] ?? 0)) > 20);
			},
			{ message: "the picture changes", intervals },
		)
		.toBe(true);
	await hears(page, before);
}

/** Waits until the sound that arrives has energy. The fake microphone beeps once a second. */
export async function hears(page: Scripted, since?: Received): Promise<void> {
	const before = since ?? (await received(page));
	const sound = async () => {
		const { audioEnergy, audioPackets } = await received(page);
		// Packets tell a failure's cause: nothing arrived, or it was silence or not played.
		return { loud: audioEnergy > before.audioEnergy + 1e-4, packets: audioPackets - before.audioPackets };
	};
	await expect.poll(sound, { message: "audio energy", intervals }).toMatchObject({ loud: true });
}

/** Waits until a second and a half passes without energy: the fake microphones beep at least once a second. */
export async function hearsNothing(page: Scripted): Promise<void> {
	await expect
		.poll(
			async () => {
				const before = await received(page);
				await page.evaluate(() => new Promise<void>((done) => setTimeout(done, 1500)));
				return (await received(page)).audioEnergy - before.audioEnergy;
			},
			{ message: "no audio energy arrives" },
		)
		.toBeLessThan(1e-5);
}

/** Whether this page has a camera or microphone open, for whatever. */
export function capturing(page: Scripted): Promise<boolean> {
	return page.evaluate(() => window.probe.captured.some((track) => track.readyState === "live"));
}

/** Until the page has given its camera and microphone back. */
export async function givesBack(page: Scripted): Promise<void> {
	await expect.poll(() => capturing(page), { message: "camera and microphone given back" }).toBe(false);
}

/** How many sounds go on in this page until something stops them. */
export function sounds(page: Scripted): Promise<number> {
	return page.evaluate(() => window.probe.loops.size);
}

/** How many offers this page has made: one for each leg, whatever is switched on or off. */
export function offers(page: Scripted): Promise<number> {
	return page.evaluate(() => window.probe.offers);
}
