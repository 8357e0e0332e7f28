package sfu

import (
	"testing"
	"time"
)

func TestSpeakerDoesNotJump(t *testing.T) {
	var s speaker
	loud, louder := []voice{{"a", 90}, {"b", 20}}, []voice{{"a", 90}, {"b", 100}}
	if !s.next(loud, time.Second) || s.participant != "a" {
		t.Fatal("nobody speaks")
	}
	if s.next(louder, 1400*ms) {
		t.Error("changed within 500 ms")
	}
	if s.next([]voice{{"a", 90}, {"b", 92}}, 2*time.Second) {
		t.Error("changed for 2 dB")
	}
	if !s.next(louder, 2*time.Second) || s.participant != "b" {
		t.Error("did not change")
	}
	if !s.next([]voice{{"a", 10}}, 2100*ms) || s.participant != "" {
		t.Error("the speaker left and still speaks")
	}
}
