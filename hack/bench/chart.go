package main

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// chartParts are the segments of a bar, from the bottom up.
var chartParts = []struct {
	part  int
	name  string
	color color.RGBA
}{
	{create, "create", color.RGBA{0x1f, 0x4e, 0x79, 0xff}},
	{start, "start", color.RGBA{0x2e, 0x8b, 0x9e, 0xff}},
	{ending, "the program's end", color.RGBA{0xb0, 0xb8, 0xbf, 0xff}},
	{remove, "delete", color.RGBA{0x8f, 0xbc, 0x5a, 0xff}},
}

// chartBars stand beside those.
var chartBars = []struct {
	title string
	color color.RGBA
}{
	{runTitle, color.RGBA{0xd0, 0x8a, 0x2e, 0xff}},
	{execTitle, color.RGBA{0x8e, 0x5a, 0x9b, 0xff}},
}

// chart draws the medians of wall time: create, start and delete on top of each
// other, and run and exec beside them.
func (r *report) chart(path string) error {
	p := plot.New()
	p.Title.Text = "One container, median wall time"
	p.Y.Label.Text = "ms"
	p.Y.Min = 0
	p.Y.Tick.Marker = plot.TickerFunc(everyFive)
	p.Legend.Top, p.Legend.Left = true, true
	const width = 22 * vg.Millimeter / 3
	var below *plotter.BarChart
	for _, part := range chartParts {
		bars, err := r.bars(cycleTitle, part.part, width)
		if err != nil {
			return err
		}
		bars.Color, bars.Offset = part.color, -width
		if below != nil {
			bars.StackOn(below)
		}
		below = bars
		p.Add(bars)
		p.Legend.Add(part.name, bars)
	}
	for i, b := range chartBars {
		bars, err := r.bars(b.title, whole, width)
		if err != nil {
			return err
		}
		bars.Color, bars.Offset = b.color, vg.Length(i)*width
		p.Add(bars)
		p.Legend.Add(b.title, bars)
	}
	var names []string
	for _, c := range r.all {
		names = append(names, c.name)
	}
	p.NominalX(names...)
	p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
	return p.Save(vg.Length(60+30*len(names))*vg.Millimeter, 100*vg.Millimeter, path)
}

func (r *report) bars(title string, part int, width vg.Length) (*plotter.BarChart, error) {
	var v plotter.Values
	for _, c := range r.all {
		v = append(v, float64(r.took(title).of(c.name)[part].median())/1e6)
	}
	b, err := plotter.NewBarChart(v, width)
	if err == nil {
		b.LineStyle.Width = 0
	}
	return b, err
}

// everyFive marks the axis at each 5 ms.
func everyFive(from, to float64) (ticks []plot.Tick) {
	for v := 0.0; v <= to; v += 5 {
		ticks = append(ticks, plot.Tick{Value: v, Label: decimals(v, 0)})
	}
	return ticks
}
