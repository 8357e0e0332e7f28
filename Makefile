.PHONY: run test web bench

run: ; go run .
test: ; node scripts/test.mjs
web: ; cd web && npm ci && npm run build
bench: ; go run . bench
