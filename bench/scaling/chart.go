package main

import (
	"fmt"
	"image/color"
	"os"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var (
	demandColor   = color.RGBA{R: 0x9a, G: 0xa0, B: 0xa6, A: 0xff}
	replicasColor = color.RGBA{R: 0x1a, G: 0x56, B: 0xb0, A: 0xff}
)

// chart draws a row for each load and a column for each system: tasks that are not done in grey, replicas in blue.
func chart(file string, outcomes []*outcome) error {
	rows := make([][]*plot.Plot, 0, len(outcomes))
	for _, o := range outcomes {
		highest, longest := 0.0, 0.0
		var row []*plot.Plot
		for _, s := range everySystem {
			c := o.of(s)[0]
			p := plot.New()
			p.Title.Text = fmt.Sprintf("%s: %s", o.load.title, s.title)
			p.Title.TextStyle.Font.Size = vg.Points(9)
			p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = vg.Points(7), vg.Points(7)
			p.Add(plotter.NewGrid())
			for _, line := range []struct {
				changes []change
				color   color.RGBA
				width   float64
			}{{demand(c), demandColor, 1}, {c.record.replicas, replicasColor, 1.6}} {
				points := staircase(line.changes, c.loadStart, c.ended)
				drawn, err := plotter.NewLine(points)
				if err != nil {
					return err
				}
				drawn.Color, drawn.Width = line.color, vg.Points(line.width)
				p.Add(drawn)
				for _, point := range points {
					highest, longest = max(highest, point.Y), max(longest, point.X)
				}
			}
			row = append(row, p)
		}
		for _, p := range row {
			p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, longest, 0, max(highest, 1)
		}
		rows = append(rows, row)
	}
	canvas := vgsvg.New(24*vg.Centimeter, vg.Length(len(rows))*4*vg.Centimeter)
	tiles := draw.Tiles{
		Rows: len(rows), Cols: len(everySystem), PadX: vg.Points(10), PadY: vg.Points(8),
		PadTop: vg.Points(4), PadBottom: vg.Points(4), PadLeft: vg.Points(4), PadRight: vg.Points(8),
	}
	canvases := plot.Align(rows, tiles, draw.New(canvas))
	for i, row := range rows {
		for j, p := range row {
			p.Draw(canvases[i][j])
		}
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(out); err != nil {
		return err
	}
	return out.Close()
}

// staircase is a series in seconds from the start, level between its changes.
func staircase(changes []change, start, end time.Time) plotter.XYs {
	level := 0.0
	points := plotter.XYs{}
	for _, change := range changes {
		at := change.at.Sub(start).Seconds()
		if at < 0 {
			level = float64(change.replicas)
			continue
		}
		if len(points) == 0 {
			points = append(points, plotter.XY{X: 0, Y: level})
		}
		points = append(points, plotter.XY{X: at, Y: level}, plotter.XY{X: at, Y: float64(change.replicas)})
		level = float64(change.replicas)
	}
	if len(points) == 0 {
		points = append(points, plotter.XY{X: 0, Y: level})
	}
	return append(points, plotter.XY{X: end.Sub(start).Seconds(), Y: level})
}
