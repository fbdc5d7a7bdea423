package lifecycle

import (
	"os/user"
	"testing"
)

func TestAnOwnerHasTheNameThatOsUserFinds(t *testing.T) {
	t.Parallel()
	for _, uid := range []string{"0", "1", "33", "65534", "4294967294"} {
		want := "#" + uid
		if u, err := user.LookupId(uid); err == nil {
			want = u.Username
		}
		if got := userName(uid); got != want {
			t.Errorf("%s: %q, want %q", uid, got, want)
		}
	}
}
