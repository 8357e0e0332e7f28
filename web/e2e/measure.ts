/**
 * Not a test: how long people wait. `npm run measure` prints, for the real binary and the real popup in Chromium on this
 * machine, the time from the click on Answer to the first decoded frame on both sides, and to silence in 20 other tabs.
 */
import { cpus, loadavg } from "node:os";
import { chromium, expect, type Page } from "@playwright/test";
import config from "../playwright.config.ts";
import build from "./build.ts";
import { button, ring } from "./page.ts";
import { install } from "./probe.ts";
import { Server } from "./server.ts";

const [calls = 20, rings = 10] = process.argv.slice(2).map(Number);
/** The camera as the product asks for it, instead of 320×240. */
const largePicture = process.env.PICTURE === "large";
const silentTabs = 20;

interface Marks {
	/** All in ms since 1970, as precise as the browser tells. */
	answered?: number;
	firstFrame?: number;
	silent?: number;
	/** Steps on the way from the click to the first frame, of the newest connection. */
	steps: Partial<Record<Step, number>>;
}

const steps = ["devices", "offer", "answer", "ice", "dtls", "packet"] as const;
type Step = (typeof steps)[number];

declare global {
	interface Window {
		marks: Marks;
	}
}

/** Notes in the page itself when things happen, so that the way to this process costs nothing. */
function mark(): void {
	window.marks = { steps: {} };
	const step = (name: Step) => (window.marks.steps[name] ??= now());
	const now = () => performance.timeOrigin + performance.now();
	const answers = (e: Event) =>
		e.composedPath().some((n) => n instanceof HTMLButtonElement && n.innerText.trim().startsWith("Answer"));
	addEventListener("click", (e) => answers(e) && (window.marks.answered = now()), { capture: true });

	const Connection = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Connection {
		constructor(options?: RTCConfiguration) {
			super(options);
			this.addEventListener(
				"iceconnectionstatechange",
				() => this.iceConnectionState === "connected" && step("ice"),
			);
			this.addEventListener(
				"connectionstatechange",
				() => this.connectionState === "connected" && step("dtls"),
			);
			this.addEventListener("track", ({ track, receiver }) => {
				if (track.kind !== "video") return;
				// There when the first packet is.
				const packet = setInterval(() => {
					if (receiver.getSynchronizationSources().length === 0) return;
					step("packet");
					clearInterval(packet);
				}, 2);
				type Frames = ReadableStream<{ close(): void }>;
				const Processor = (
					window as unknown as { MediaStreamTrackProcessor: new (o: object) => { readable: Frames } }
				).MediaStreamTrackProcessor;
				const reader = new Processor({ track }).readable.getReader();
				void reader.read().then(({ value }) => {
					window.marks.firstFrame ??= now();
					value?.close();
					void reader.cancel();
				});
			});
		}
		override async setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
			await super.setLocalDescription(description);
			step("offer");
		}
		override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
			await super.setRemoteDescription(description);
			step("answer");
		}
	};
	const devices = navigator.mediaDevices;
	const open = devices.getUserMedia.bind(devices);
	devices.getUserMedia = async (wish) => {
		const stream = await open(wish);
		step("devices");
		return stream;
	};

	let ringing = false;
	const look = () => {
		const there = document.querySelector("carillon-popup")?.shadowRoot?.querySelector("[role=alertdialog]");
		if (ringing && !there) window.marks.silent = now();
		ringing = !!there;
	};
	const attach = Element.prototype.attachShadow;
	Element.prototype.attachShadow = function (how) {
		const root = attach.call(this, how);
		new MutationObserver(look).observe(root, { childList: true, subtree: true });
		return root;
	};
}

const marks = (page: Page) => page.evaluate(() => window.marks);
const forget = (page: Page) => page.evaluate(() => void (window.marks = { steps: {} }));
const at = (sorted: number[], share: number) =>
	sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

function row(name: string, values: number[]): void {
	const sorted = values.toSorted((a, b) => a - b);
	const cells = [0.5, 0.95, 0.99, 1].map((share) => at(sorted, share).toFixed(0).padStart(7));
	console.log(`${name.padEnd(44)}${String(values.length).padStart(5)}${cells.join("")}`);
}

build();
const server = new Server({
	CARILLON_CALL_RINGS_PER_MINUTE: "1000",
	CARILLON_CALL_RINGS_PER_PAIR: "1000",
	CARILLON_CALL_REQUESTS_PER_MINUTE: "10000",
});
await server.start();
const browser = await chromium.launch(config.use?.launchOptions ?? {});
try {
	const open = async (user: string, peer: string, tabs: number): Promise<Page[]> => {
		const context = await browser.newContext({
			permissions: ["camera", "microphone", "notifications"],
			viewport: { width: 1100, height: 760 },
		});
		await context.addInitScript(install, { largePicture });
		await context.addInitScript(mark);
		const pages: Page[] = [];
		for (let i = 0; i < tabs; i++) {
			const page = await context.newPage();
			await page.goto(`${server.url}/demo?user=${user}&with=${peer}`);
			await button(page, "Open chat").waitFor();
			pages.push(page);
		}
		return pages;
	};
	const [alice] = await open("alice", "bob", 1);
	const [bob] = await open("bob", "alice", 1);
	if (!alice || !bob) throw new Error("no page");
	for (const page of [alice, bob]) await button(page, "Open chat").click();

	const load = [loadavg()[0] ?? 0];
	const seen: Record<"callee" | "caller" | Step, number[]> = {
		callee: [],
		caller: [],
		...(Object.fromEntries(steps.map((s) => [s, [] as number[]])) as Record<Step, number[]>),
	};
	for (let i = 0; i <= calls; i++) {
		for (const page of [alice, bob]) await forget(page);
		await button(alice, "Video call").click();
		await ring(bob, "video", "Alice").waitFor();
		await expect(alice.getByRole("status").filter({ hasText: "Ringing…" })).toBeVisible();
		await button(bob, "Answer with video").click();
		for (const page of [alice, bob])
			await expect.poll(async () => (await marks(page)).firstFrame, { timeout: 30_000 }).toBeTruthy();
		const [a, b] = [await marks(alice), await marks(bob)];
		// The first call fetches the call part and is told apart.
		if (i === 0) console.log(`first call ever: callee ${ms(b, b)}, caller ${ms(b, a)} ms`);
		else {
			seen.callee.push(ms(b, b));
			seen.caller.push(ms(b, a));
			for (const s of steps) seen[s].push((b.steps[s] ?? Number.NaN) - (b.answered ?? Number.NaN));
		}
		await button(alice, "Hang up").click();
		for (const page of [alice, bob]) await button(page, "Video call").waitFor();
	}
	load.push(loadavg()[0] ?? 0);

	const others = await open("bob", "alice", silentTabs);
	await bob.bringToFront();
	const silence: number[] = [];
	for (let i = 0; i < rings; i++) {
		for (const page of [bob, ...others]) await forget(page);
		await button(alice, "Voice call").click();
		for (const page of [bob, ...others]) await ring(page, "voice", "Alice").waitFor();
		await button(bob, "Answer").click();
		const { answered = Number.NaN } = await marks(bob);
		for (const page of others) {
			await expect.poll(async () => (await marks(page)).silent).toBeTruthy();
			silence.push(((await marks(page)).silent ?? 0) - answered);
		}
		await button(alice, "Hang up").click();
		await button(alice, "Voice call").waitFor();
		await button(bob, "Voice call").waitFor();
	}
	load.push(loadavg()[0] ?? 0);

	console.log(`\n${"ms from the click on Answer".padEnd(44)}    n median    p95    p99    max`);
	for (const s of steps) row(`to the callee's ${s}`, seen[s]);
	row("to the first decoded frame, callee", seen.callee);
	row("to the first decoded frame, caller", seen.caller);
	row(`to silence in ${silentTabs} other tabs`, silence);
	console.log(
		`\n${cpus().length} cores (${cpus()[0]?.model}); load average ${load.map((l) => l.toFixed(1)).join(" → ")}; ` +
			`${browser.version()}; camera ${largePicture ? "1280×720" : "320×240"}, software codecs for both sides on this machine`,
	);
} finally {
	await browser.close();
	await server.stop();
}

function ms(click: Marks, frame: Marks): number {
	return Math.round((frame.firstFrame ?? Number.NaN) - (click.answered ?? Number.NaN));
}
