/** Errors as a person understands them: what happened and what to do. */
import { DeviceError, Refusal, Unanswered } from "../sdk/errors.ts";
import type { Words } from "./strings/index.ts";

/** Undefined when the visitor need not be told: another tab was first, or they took the click back. */
export function problemText(error: unknown, words: Words): string | undefined {
	if (error instanceof DeviceError) return deviceText(error.source, error.reason, words);
	if (error instanceof Unanswered) return words.say("noServer");
	if (error instanceof Refusal) {
		if (error.code === "already_answered" || error.code === "call_ended") return undefined;
		if (error.code === "calls_need_https") return words.say("callsNeedHttps");
		if (error.code === "too_many_peers") return words.say("tooManyPeers");
		// The server's sentences are made to be read, but they are English.
		return words.locale.startsWith("en")
			? error.message
			: words.say(error.code === "rate_limited" ? "tooOften" : "somethingWrong");
	}
	// A part of the popup could not be fetched.
	if (error instanceof TypeError && !navigator.onLine) return words.say("noServer");
	if (error instanceof DOMException && error.name === "AbortError") return undefined;
	return words.say("somethingWrong");
}

export function deviceText(source: string, reason: string, words: Words): string {
	const key = `${source}_${reason}`;
	return words.say(words.has(key) ? key : "somethingWrong");
}
