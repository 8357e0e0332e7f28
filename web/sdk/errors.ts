/** What can go wrong, as types that a page can tell apart. */
import type { DeviceReason } from "./types.devices.ts";
import type { Code, Source, Error as WireError } from "./wire.gen.ts";

/** The server, or the client on its behalf, said no. Translations are keyed by `code`. */
export class Refusal extends Error {
	override readonly name = "Refusal";
	readonly code: Code;
	/** The same request may succeed after this; 0: it will not. */
	readonly retryMs: number;

	constructor(code: Code, message: string, retryMs = 0) {
		super(message);
		this.code = code;
		this.retryMs = retryMs;
	}

	/** What a server says that is none of ours counts as a fault of the server. */
	static of(e: WireError): Refusal {
		const { code, retry_ms } = (e.data ?? {}) as { code?: unknown; retry_ms?: unknown };
		return new Refusal(
			typeof code === "string" ? (code as Code) : "internal",
			typeof e.message === "string" ? e.message : "",
			typeof retry_ms === "number" && retry_ms > 0 ? retry_ms : 0,
		);
	}

	/** The same request may succeed later. */
	get temporary(): boolean {
		return this.retryMs > 0 || temporary.has(this.code);
	}
}

const temporary: ReadonlySet<Code> = new Set([
	"rate_limited",
	"busy",
	"internal",
	"leg_in_use",
	"hello_first",
	"token_expired",
]);

/** No answer: the connection went away before it came, or was not there. The request may or may not have worked. */
export class Unanswered extends Error {
	override readonly name = "Unanswered";
}

/** A camera or microphone could not be had. */
export class DeviceError extends Error {
	override readonly name = "DeviceError";
	readonly source: Source;
	readonly reason: DeviceReason;

	constructor(source: Source, reason: DeviceReason, cause?: unknown) {
		super(`${source}: ${reason}`, { cause });
		this.source = source;
		this.reason = reason;
	}
}
