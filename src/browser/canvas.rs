//! A canvas over a drawing, for what moves.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::dom;

/// A canvas that fills its box, in device pixels.
pub struct Canvas {
    element: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
}

impl Canvas {
    /// The canvas element with this id.
    pub fn find(id: &str) -> Option<Self> {
        let element = web_sys::window()?.document()?.get_element_by_id(id)?;
        let element: HtmlCanvasElement = element.dyn_into().ok()?;
        let context = element.get_context("2d").ok()??.dyn_into().ok()?;
        Some(Self { element, context })
    }

    /// Empties the canvas and maps a drawing of `width` × `height` onto it: uniform scale, centred.
    pub fn begin(&self, width: f64, height: f64) {
        let ratio = dom::pixel_ratio();
        let (wide, high) =
            (f64::from(self.element.client_width()), f64::from(self.element.client_height()));
        let (pixels_wide, pixels_high) = ((wide * ratio) as u32, (high * ratio) as u32);
        if self.element.width() != pixels_wide || self.element.height() != pixels_high {
            self.element.set_width(pixels_wide);
            self.element.set_height(pixels_high);
        }
        let c = &self.context;
        let _ = c.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0);
        c.clear_rect(0.0, 0.0, f64::from(pixels_wide), f64::from(pixels_high));
        let scale = (wide / width).min(high / height);
        let (left, top) = ((wide - width * scale) / 2.0, (high - height * scale) / 2.0);
        let _ = c.set_transform(scale * ratio, 0.0, 0.0, scale * ratio, left * ratio, top * ratio);
    }

    /// How much of what follows shows through, 0 to 1.
    pub fn alpha(&self, alpha: f64) {
        self.context.set_global_alpha(alpha);
    }

    /// A closed or open figure through points, filled and/or stroked.
    pub fn figure(&self, points: &[(f64, f64)], fill: Option<&str>, stroke: Option<(&str, f64)>) {
        let c = &self.context;
        c.begin_path();
        for (index, (x, y)) in points.iter().enumerate() {
            if index == 0 { c.move_to(*x, *y) } else { c.line_to(*x, *y) }
        }
        if fill.is_some() {
            c.close_path();
        }
        self.paint(fill, stroke);
    }

    /// A circle.
    pub fn circle(
        &self,
        x: f64,
        y: f64,
        radius: f64,
        fill: Option<&str>,
        stroke: Option<(&str, f64)>,
    ) {
        self.context.begin_path();
        let _ = self.context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
        self.paint(fill, stroke);
    }

    /// A capsule around a point.
    pub fn capsule(
        &self,
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        fill: &str,
        stroke: (&str, f64),
    ) {
        let (radius, half) = (height / 2.0, (width - height).max(0.0) / 2.0);
        let quarter = std::f64::consts::FRAC_PI_2;
        let c = &self.context;
        c.begin_path();
        let _ = c.arc(x - half, y, radius, quarter, 3.0 * quarter);
        let _ = c.arc(x + half, y, radius, -quarter, quarter);
        c.close_path();
        self.paint(Some(fill), Some(stroke));
    }

    fn paint(&self, fill: Option<&str>, stroke: Option<(&str, f64)>) {
        let c = &self.context;
        if let Some(fill) = fill {
            set(c, "fillStyle", fill);
            c.fill();
        }
        if let Some((colour, width)) = stroke {
            set(c, "strokeStyle", colour);
            c.set_line_width(width);
            c.stroke();
        }
    }
}

fn set(context: &CanvasRenderingContext2d, name: &str, value: &str) {
    let _ = js_sys::Reflect::set(context, &JsValue::from_str(name), &JsValue::from_str(value));
}
