package refusal

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func answer(err error) (res *httptest.ResponseRecorder, logged string) {
	var log bytes.Buffer
	res = httptest.NewRecorder()
	Answer(res, httptest.NewRequest(http.MethodPost, "/x", nil), err, slog.New(slog.NewTextHandler(&log, nil)))
	return res, log.String()
}

func TestARefusalIsAProblemDocument(t *testing.T) {
	res, logged := answer(fmt.Errorf("join: %w", After(1500*time.Millisecond, RateLimited, "Wait.")))
	want := `{"title":"Too Many Requests","status":429,"detail":"Wait.","code":"rate_limited","retry_ms":1500}`
	if got := strings.TrimSpace(res.Body.String()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if h := res.Header(); res.Code != 429 || h.Get("Content-Type") != "application/problem+json" || h.Get("Retry-After") != "2" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v", res.Code, h)
	}
	if logged != "" {
		t.Errorf("a refusal was logged: %s", logged)
	}
}

func TestOtherErrorsAreLoggedAndNotTold(t *testing.T) {
	res, logged := answer(errors.New("secret of the disk"))
	if res.Code != 500 || strings.Contains(res.Body.String(), "secret") || !strings.Contains(res.Body.String(), `"code":"internal"`) {
		t.Errorf("got %d %s", res.Code, res.Body)
	}
	if !strings.Contains(logged, `err="secret of the disk"`) {
		t.Errorf("logged %q", logged)
	}
}

func TestAStatusMayBeMoreExactThanTheCode(t *testing.T) {
	if res, _ := answer(New(BadRequest, "Use POST.").WithStatus(405)); res.Code != 405 {
		t.Errorf("got %d, want 405", res.Code)
	}
}

func TestEveryCodeHasAStatusAndIsInTheProtocol(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	protocol, err := os.ReadFile("../docs/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Code" {
			return true
		}
		text, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if codes++; statuses[Code(text)] == 0 {
			t.Errorf("%s has no HTTP status", text)
		}
		if !bytes.Contains(protocol, []byte("`"+text+"`")) {
			t.Errorf("%s is not in docs/PROTOCOL.md", text)
		}
		return true
	})
	if codes != len(statuses) {
		t.Errorf("%d codes and %d statuses", codes, len(statuses))
	}
}

func TestWhoWaitsAsToldIsNotTooEarly(t *testing.T) {
	if err := Wait(0); err != nil {
		t.Errorf("no wait: got %v", err)
	}
	e, _ := Of(Wait(1200 * time.Microsecond))
	if e.Code != RateLimited || e.Retry != 2*time.Millisecond {
		t.Errorf("got %s after %v, want %s after 2ms", e.Code, e.Retry, RateLimited)
	}
}
