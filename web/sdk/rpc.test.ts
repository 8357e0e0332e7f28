import { describe, expect, it } from "vitest";
import { Refusal, Unanswered } from "./errors.ts";
import { type Method, type Params, Rpc } from "./rpc.ts";
import { sample, samples } from "./testing/samples.ts";
import type { ClientNotes, Frame } from "./wire.gen.ts";

interface Exchange {
	request: Frame;
	answer: Frame;
}

describe("the wire", () => {
	it.each(samples("request."))("%s is said as in the sample, and its answer is understood", async (name) => {
		const { request, answer } = sample<Exchange>(name);
		const said: Frame[] = [];
		const rpc = new Rpc(
			(text) => said.push(JSON.parse(text) as Frame),
			() => {},
		);
		const method = request.method as Method;
		const result = rpc.request(method, request.params as Params<Method>);
		expect(said).toEqual([{ ...request, id: 1 }]);
		rpc.receive(JSON.stringify({ ...answer, id: 1 }));
		expect(await result).toEqual(answer.result);
	});

	it.each(samples("client."))("%s is said as in the sample", (name) => {
		const note = sample<Frame>(name);
		const said: unknown[] = [];
		const rpc = new Rpc(
			(text) => said.push(JSON.parse(text)),
			() => {},
		);
		rpc.notify(note.method as keyof ClientNotes, note.params as never);
		expect(said).toEqual([note]);
	});

	it.each(samples("server."))("%s is received", (name) => {
		const note = sample<Frame>(name);
		const received: unknown[] = [];
		new Rpc(
			() => {},
			(...n) => received.push(n),
		).receive(JSON.stringify(note));
		expect(received).toEqual([[note.method, note.params]]);
	});

	it("makes refusals of errors, with the time after which to try again", async () => {
		for (const [name, code, retryMs] of [
			["error.retry", "rate_limited", 240],
			["error.refused", undefined, 0],
		] as const) {
			const rpc = new Rpc(
				() => {},
				() => {},
			);
			const asked = rpc.request("session.list", {});
			rpc.receive(JSON.stringify({ ...sample<Frame>(name), id: 1 }));
			const err = await asked.catch((e) => e);
			expect(err).toBeInstanceOf(Refusal);
			if (code) expect(err.code).toBe(code);
			expect(err.retryMs).toBe(retryMs);
		}
	});

	it("handles several frames in one message in order, and passes over what is none", async () => {
		const order: string[] = [];
		const rpc = new Rpc(
			() => {},
			(method) => order.push(method),
		);
		rpc.ask("session.list", {}, () => order.push("answer"));
		rpc.receive(
			'{"jsonrpc":"2.0","id":1,"result":{}}\n\nnonsense\n[1]\n{"jsonrpc":"2.0","method":"synced"}\n{"id":77,"result":{}}',
		);
		expect(order).toEqual(["answer", "synced"]);
	});

	it("leaves what is open unanswered when the transport closes, and everything after", async () => {
		const rpc = new Rpc(
			() => {},
			() => {},
		);
		const open = rpc.request("session.list", {});
		rpc.close();
		await expect(open).rejects.toBeInstanceOf(Unanswered);
		await expect(rpc.request("session.list", {})).rejects.toBeInstanceOf(Unanswered);
	});

	it("forgets a request that is called off", async () => {
		const stop = new AbortController();
		const rpc = new Rpc(
			() => {},
			() => {},
		);
		const open = rpc.request("session.list", {}, stop.signal);
		stop.abort(new Error("not wanted"));
		await expect(open).rejects.toThrow("not wanted");
		rpc.receive('{"jsonrpc":"2.0","id":1,"result":{}}');
	});
});
