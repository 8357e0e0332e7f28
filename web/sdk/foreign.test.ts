/** Whatever comes from elsewhere: no input makes the client throw where nothing catches, or takes one thing for another. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Refusal, Unanswered } from "./errors.ts";
import { type Outcome, Rpc } from "./rpc.ts";
import { holds, mostTime } from "./testing/property.ts";
import { claims, subject } from "./token.ts";

/** JSON that looks like frames, text that is none, and both in one message. */
const frame = fc.record(
	{
		jsonrpc: fc.constantFrom("2.0", "1.0", null),
		id: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.jsonValue()),
		method: fc.oneof(fc.constantFrom("change", "synced", "ping"), fc.jsonValue()),
		params: fc.jsonValue(),
		result: fc.jsonValue(),
		error: fc.oneof(
			fc.jsonValue(),
			fc.record({
				code: fc.integer(),
				message: fc.jsonValue(),
				data: fc.oneof(fc.jsonValue(), fc.record({ code: fc.jsonValue(), retry_ms: fc.jsonValue() })),
			}),
		),
	},
	{ requiredKeys: [] },
);
const line = fc.oneof(
	frame.map((f) => JSON.stringify(f)),
	fc.json(),
	fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")),
);

test("a message of any bytes is read to its end, and each request has one outcome", {
	timeout: mostTime,
}, () => {
	holds(fc.tuple(fc.array(line), fc.array(line)), ([before, after]) => {
		const notes: unknown[] = [];
		const outcomes: Outcome<unknown>[] = [];
		const rpc = new Rpc(
			() => {},
			(method) => notes.push(method),
		);
		for (let n = 0; n < 3; n++) rpc.ask("session.list", {}, (o) => outcomes.push(o));
		rpc.receive([...before, '{"method":"synced"}', ...after].join("\n"));
		expect(notes).toContain("synced");
		rpc.close();
		expect(outcomes).toHaveLength(3);
		for (const o of outcomes) {
			if (o.ok) continue;
			expect(o.error instanceof Refusal || o.error instanceof Unanswered).toBe(true);
			if (!(o.error instanceof Refusal)) continue;
			expect(typeof o.error.code).toBe("string");
			expect(Number.isFinite(o.error.retryMs)).toBe(true);
		}
		for (const method of notes) expect(typeof method).toBe("string");
	});
});

test("a token of any bytes names a user or none", { timeout: mostTime }, () => {
	const part = fc.jsonValue().map((value) => btoa(unescape(encodeURIComponent(JSON.stringify(value)))));
	const token = fc.oneof(
		fc.string({ unit: "binary" }),
		fc.array(part).map((all) => all.join(".")),
	);
	holds(token, (token) => {
		expect(typeof claims(token)).toBe("object");
		const user = subject(token);
		expect(user === undefined || (typeof user === "string" && user !== "")).toBe(true);
	});
});
