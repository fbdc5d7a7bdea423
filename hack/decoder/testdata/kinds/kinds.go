// Package kinds has a field of each kind that decoders are written for.
package kinds

import (
	"os"
	"time"

	"github.com/minirt/minirt/internal/json"
)

// Read reads a Record by its generated decoder.
func Read(data []byte) (r Record, err error) {
	err = json.Unmarshal(data, &r, decodeRecord)
	return r, err
}

type name string

// Inner is embedded.
type Inner struct {
	Deep []map[string]*int `json:"deep"`
}

// Record is what a room might keep in a file.
type Record struct {
	Inner
	Named   Inner             `json:"named"`
	ID      string            `json:"id"`
	Kind    name              `json:"kind,omitempty"`
	Start   uint64            `json:"start"`
	Small   int8              `json:"small"`
	On      bool              `json:"on"`
	Ratio   float64           `json:"ratio"`
	Any     any               `json:"any"`
	Mode    os.FileMode       `json:"mode"`
	After   *time.Duration    `json:"after"`
	Ptr     *Inner            `json:"ptr"`
	List    []string          `json:"list"`
	Kinds   []name            `json:"kinds"`
	IDs     []uint32          `json:"ids"`
	Inners  []Inner           `json:"inners"`
	Ptrs    []*Inner          `json:"ptrs"`
	Lists   [][]bool          `json:"lists"`
	Labels  map[string]string `json:"labels"`
	Inside  map[string]Inner  `json:"inside"`
	Untag   int
	Omitted chan int `json:"-"`
	hidden  int
}
