//! The plot: lines of points on two logarithmic axes, as SVG that can be read on a light and on a dark page.

use std::fmt::Write;

pub struct Line {
    pub name: String,
    /// Nodes and seconds.
    pub points: Vec<(f64, f64)>,
}

impl Line {
    pub fn new(name: &str) -> Line {
        Line {
            name: name.to_owned(),
            points: Vec::new(),
        }
    }
}

/// A logarithmic axis of whole powers of ten, from pixel to pixel.
pub struct Axis {
    /// Powers of ten.
    pub from: i32,
    pub to: i32,
    pub pixels: (f64, f64),
}

impl Axis {
    /// The powers of ten around all `values`, which are over 0.
    pub fn around(values: impl Iterator<Item = f64>, pixels: (f64, f64)) -> Axis {
        let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        // Two powers that are the same would leave no room.
        let from = low.log10().floor() as i32;
        let to = (high.log10().ceil() as i32).max(from + 1);
        Axis { from, to, pixels }
    }

    pub fn place(&self, value: f64) -> f64 {
        let part = (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.from..=self.to).map(|power| 10_f64.powi(power))
    }
}

/// Moves what would stand on each other apart, the order kept: places of names, across and down, of which those at the same place across
/// meet.
pub fn apart(places: &[(f64, f64)], least: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&one, &two| places[one].1.total_cmp(&places[two].1));
    let mut moved: Vec<f64> = places.iter().map(|place| place.1).collect();
    for (at, &this) in order.iter().enumerate() {
        for &above in &order[..at] {
            if places[above].0 == places[this].0 {
                moved[this] = moved[this].max(moved[above] + least);
            }
        }
    }
    moved
}

const STYLE: &str = "svg { font: 13px system-ui, sans-serif; --page: #ffffff; --ink: #24292f; --grid: #d8dee4; }
@media (prefers-color-scheme: dark) { svg { --page: #0d1117; --ink: #e6edf3; --grid: #30363d; } }
.page { fill: var(--page); } text { fill: var(--ink); } .grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; } .thin { stroke-width: 1.5; stroke-dasharray: 6 4; }";

/// Of middling lightness, apart from each other in hue; the floor, which comes first, is grey.
const COLOURS: [&str; 6] = [
    "#8b949e", "#2f81f7", "#d29922", "#e5534b", "#a371f7", "#2da44e",
];

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 440.0;

fn named(value: f64) -> String {
    if value >= 1000.0 {
        format!("{},000", value / 1000.0)
    } else {
        format!("{value}")
    }
}

pub fn svg(title: &str, lines: &[Line]) -> String {
    let lines: Vec<&Line> = lines
        .iter()
        .filter(|line| !line.points.is_empty())
        .collect();
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = Axis::around(points().map(|point| point.0), (70.0, WIDTH - 180.0));
    let down = Axis::around(points().map(|point| point.1), (HEIGHT - 55.0, 45.0));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>{STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n<text x=\"70\" y=\"26\">{title}</text>\n"
    );
    grid(&mut out, &across, &down);
    let place = |point: &(f64, f64)| (across.place(point.0), down.place(point.1));
    let end = |line: &&Line| line.points.last().map_or((0.0, 0.0), place);
    let ends: Vec<(f64, f64)> = lines.iter().map(end).collect();
    for ((line, name_y), colour) in lines
        .iter()
        .zip(apart(&ends, 15.0))
        .zip(COLOURS.iter().cycle())
    {
        let path: Vec<String> = line
            .points
            .iter()
            .map(|point| format!("{:.1} {:.1}", place(point).0, place(point).1))
            .collect();
        let thin = if line.name == "floor" { " thin" } else { "" };
        let _ = writeln!(
            out,
            "<path class=\"line{thin}\" stroke=\"{colour}\" d=\"M{}\"/><text x=\"{:.1}\" y=\"{:.1}\" style=\"fill:{colour}\">{}</text>",
            path.join("L"),
            end(line).0 + 8.0,
            name_y + 4.0,
            line.name
        );
    }
    out.push_str("</svg>\n");
    out
}

/// The powers of ten of both axes, and what stands at them.
fn grid(out: &mut String, across: &Axis, down: &Axis) {
    let ((left, right), (bottom, top)) = (across.pixels, down.pixels);
    // Writing to a text cannot fail.
    for tick in across.ticks() {
        let x = across.place(tick);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{x:.1} {bottom:.1}V{top:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 20.0,
            named(tick)
        );
    }
    for tick in down.ticks() {
        let y = down.place(tick);
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} s</text>",
            left - 8.0,
            y + 4.0,
            named(tick)
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">nodes</text>",
        (left + right) / 2.0,
        HEIGHT - 12.0
    );
}
