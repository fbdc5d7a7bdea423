package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// same compares what was seen with what is to be.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
