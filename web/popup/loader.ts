/**
 * /popup.js: a classic script of a few kilobytes that draws the round button and knows where the
 * rest is. Three ways in: its own `data-…` attributes, the queue stub, and `createPopup(options)`.
 */
import { fromDataset, type Options } from "./options.ts";
import { type PartName, type Parts, Popup } from "./popup.ts";

/** Files of each part, itself first: filled in by the build. */
declare const PARTS: Record<PartName, string[]>;

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

function preload(part: PartName): void {
	for (const file of PARTS[part]) {
		const href = url(file);
		if (document.head.querySelector(`link[href="${href}"]`)) continue;
		const link = document.createElement("link");
		link.rel = "modulepreload";
		link.href = href;
		document.head.append(link);
	}
}

/** How often a part could not be loaded. */
const failures: Partial<Record<PartName, number>> = {};

/** Fetches all files of a part at once. Without that the browser learns of each from the one before. */
async function load<T>(part: PartName): Promise<T> {
	preload(part);
	const failed = failures[part] ?? 0;
	try {
		// Firefox does not ask again for a module that could not be loaded once: another try has another address.
		return await import(url(PARTS[part][0] + (failed ? `?${failed}` : "")));
	} catch (error) {
		failures[part] = failed + 1;
		throw error;
	}
}

const parts: Parts = { load, preload };

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
