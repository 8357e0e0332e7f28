/**
 * /popup.js: a classic script of a few kilobytes that draws the round button and knows where the
 * rest is. Three ways in: its own `data-…` attributes, the queue stub, and `createPopup(options)`.
 */
import { fromDataset, type Options } from "./options.ts";
import { type Parts, Popup } from "./popup.ts";

type Part = "core" | "chat" | "panel" | "call";

/** Files of each part, itself first: filled in by the build. */
declare const PARTS: Record<Part, string[]>;

/** `carillon(method, …)` speaks to the popup that was booted first. */
export interface CarillonFunction {
	(method: string, ...p: unknown[]): unknown;
	/** Calls made before this script had loaded. */
	q?: IArguments[] | unknown[][];
	createPopup(options?: Options): Popup;
}

declare global {
	interface Window {
		carillon?: CarillonFunction;
		createPopup?: (options?: Options) => Popup;
	}
}

const script = document.currentScript as HTMLScriptElement | null;
const base = script?.src || `${location.origin}/popup.js`;
const url = (file: string) => new URL(file, base).href;

function preload(part: Part): void {
	for (const file of PARTS[part]) {
		const href = url(file);
		if (document.head.querySelector(`link[href="${href}"]`)) continue;
		const link = document.createElement("link");
		link.rel = "modulepreload";
		link.href = href;
		document.head.append(link);
	}
}

/** Fetches all files of a part at once. Without that the browser learns of each from the one before. */
function load<T>(part: Part): Promise<T> {
	preload(part);
	return import(url(PARTS[part][0] ?? ""));
}

const parts: Parts = { core: () => load("core"), chat: () => load("chat"), preload };

let first: Popup | undefined;
/** Calls made before there is a popup: listeners, mostly. */
const waiting: [string, ...unknown[]][] = [];

function createPopup(options: Options = {}): Popup {
	const popup = new Popup({ server: new URL(base).origin, ...options }, parts);
	if (!first) {
		first = popup;
		for (const call of waiting.splice(0)) carillon(...call);
	}
	return popup;
}

const early = window.carillon;
// A second script tag on the page adds a popup; the function stays the first one's.
const carillon: CarillonFunction = early?.createPopup
	? early
	: Object.assign(
			(method: string, ...p: unknown[]) => {
				if (method === "boot" && !first) return createPopup(p[0] as Options);
				const target = first as unknown as Record<string, unknown> | undefined;
				if (!target) return void waiting.push([method, ...p]);
				const member = target[method];
				return typeof member === "function" ? member.apply(target, p) : member;
			},
			{ createPopup },
		);

window.carillon = carillon;
window.createPopup ??= createPopup;
if (script && Object.keys(script.dataset).length > 0)
	carillon.createPopup(fromDataset({ ...script.dataset }));
if (carillon !== early)
	for (const call of early?.q ?? []) carillon(...(Array.from(call) as [string, ...unknown[]]));
