//! A small SVG writer: plots that follow the reader's light or dark theme, alone or inside a page.

use std::fmt::Write;

/// The colours of a theme. The series differ in hue and lightness, so that they can be told apart without seeing
/// colour as most do.
struct Theme {
    page: &'static str,
    panel: &'static str,
    ink: &'static str,
    faint: &'static str,
    line: &'static str,
    heat: &'static str,
    clear: &'static str,
    robust: &'static str,
    routed: &'static str,
    /// Two things done to the picture before the clear model, which a chart compares.
    remedies: [&'static str; 2],
}

const LIGHT: Theme = Theme {
    page: "#ffffff",
    panel: "#f5f7f9",
    ink: "#1d2733",
    faint: "#5d6b7a",
    line: "#d9dfe5",
    heat: "#2f6fd0",
    clear: "#c4661f",
    robust: "#2f6fd0",
    routed: "#1d2733",
    remedies: ["#1f8a5b", "#a04bb5"],
};

const DARK: Theme = Theme {
    page: "#14181d",
    panel: "#1c2229",
    ink: "#e6ebf0",
    faint: "#9aa7b4",
    line: "#333c46",
    heat: "#3f7fe0",
    clear: "#f0975a",
    robust: "#74a9ff",
    routed: "#e6ebf0",
    remedies: ["#5fd0a0", "#d79be6"],
};

impl Theme {
    /// The colours of plots, without CSS variables: many viewers of SVG files do not know them.
    fn plot_rules(&self) -> String {
        let Theme { page, ink, faint, line, heat, .. } = self;
        let mut rules = format!(
            ".mien text{{fill:{ink}}}.mien .page{{fill:{page}}}.mien text.faint{{fill:{faint}}}.mien .grid{{stroke:{line}}}\
             .mien .chance{{stroke:{faint}}}.mien .cell{{fill:{heat}}}.mien text.over{{fill:#ffffff}}"
        );
        let [first, second] = self.remedies;
        let models = [("clear", self.clear), ("robust", self.robust), ("routed", self.routed), ("rival", self.ink)];
        for (series, colour) in models.into_iter().chain([("first-remedy", first), ("second-remedy", second)]) {
            rules += &format!(
                ".mien .{series}.curve,.mien .{series}.whisker{{stroke:{colour}}}\
                 .mien .{series}.mark{{fill:{colour};stroke:{page}}}"
            );
        }
        rules
    }

    /// The colours of a page as CSS variables of its root.
    fn page_rules(&self) -> String {
        let Theme { page, panel, ink, faint, line, .. } = self;
        format!(":root{{--page:{page};--panel:{panel};--ink:{ink};--faint:{faint};--line:{line}}}")
    }
}

/// What does not depend on the theme.
const SHAPES: &str = "\
.mien text{font:13px system-ui,sans-serif}.mien text.small{font-size:11px}\
.mien .grid{stroke-width:1}.mien .chance{stroke-width:1;stroke-dasharray:2 4}\
.mien .curve{fill:none;stroke-width:2.5;stroke-linejoin:round}.mien .routed.curve{stroke-dasharray:7 4}\
.mien .whisker{stroke-width:1;opacity:.6}.mien .mark{stroke-width:1.5}";

/// The styles of a page with plots in it, in both themes; they define `--page`, `--panel`, `--ink`, `--faint`, `--line`.
pub fn page_style() -> String {
    let [light, dark] = [LIGHT, DARK].map(|theme| theme.page_rules() + &theme.plot_rules());
    both_themes(&light, &dark)
}

fn both_themes(light: &str, dark: &str) -> String {
    format!("{SHAPES}{light}@media(prefers-color-scheme:dark){{{dark}}}")
}

/// A finished plot.
pub struct Plot {
    /// Name of its file, without the extension.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    svg: Svg,
}

impl Plot {
    /// As a file of its own.
    pub fn file(&self) -> String {
        self.render(&format!("<style>{}</style>", both_themes(&LIGHT.plot_rules(), &DARK.plot_rules())))
    }

    /// As a part of a page that has [`page_style`].
    pub fn inline(&self) -> String {
        self.render("")
    }

    fn render(&self, style: &str) -> String {
        let Svg { width, height, body } = &self.svg;
        let title = escape(self.title);
        format!(
            "<svg class=\"mien\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n{style}<title>{title}</title>\
             <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n{body}</svg>\n"
        )
    }
}

/// A drawing area. Coordinates in px from the top left.
pub struct Svg {
    width: u32,
    height: u32,
    body: String,
}

/// Which end of a text its place is.
#[derive(Copy, Clone)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// An empty area.
    pub fn new(width: u32, height: u32) -> Self {
        Svg { width, height, body: String::new() }
    }

    /// Gives it a name and a title.
    pub fn finish(self, name: &'static str, title: &'static str) -> Plot {
        Plot { name, title, svg: self }
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let line = format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
        self.push(&line);
    }

    /// Straight lines from point to point.
    pub fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let line = format!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
        self.push(&line);
    }

    /// A dot that tells its value when pointed at.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), hint: &str) {
        let hint = escape(hint);
        let dot =
            format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{hint}</title></circle>");
        self.push(&dot);
    }

    /// A filled box that tells its value when pointed at; `opacity` 0..=1.
    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), opacity: f64, hint: &str) {
        let hint = escape(hint);
        let rect = format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill-opacity=\"{opacity:.3}\"><title>{hint}</title></rect>"
        );
        self.push(&rect);
    }

    /// A text whose baseline is at `y`.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        let text = format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
        self.push(&text);
    }

    /// A text that runs upwards along the left edge, its middle at `y`.
    pub fn vertical_text(&mut self, x: f64, y: f64, text: &str) {
        let text = escape(text);
        let text = format!(
            "<text class=\"faint\" transform=\"translate({x:.1} {y:.1}) rotate(-90)\" text-anchor=\"middle\">{text}</text>"
        );
        self.push(&text);
    }

    fn push(&mut self, element: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}

/// Makes a text safe inside SVG and HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let mut svg = Svg::new(10, 10);
        svg.text("small", (1.0, 2.0), Anchor::End, "a < b & \"c\"");
        let plot = svg.finish("name", "title");
        assert!(plot.inline().contains("a &lt; b &amp; &quot;c&quot;"));
        assert!(!plot.inline().contains("<style>"));
        assert!(plot.file().contains("prefers-color-scheme"));
    }
}
