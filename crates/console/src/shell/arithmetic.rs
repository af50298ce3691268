//! `$((…))`: C's integer expressions over 64 bits.

/// Where an expression's names live.
pub trait Names {
    fn get(&self, name: &str) -> String;
    fn set(&mut self, name: &str, value: i64);
}

/// A number as C writes it: decimal, `0x…`, `0…`, or `base#digits`.
pub fn literal(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))
    {
        i64::from_str_radix(hex, 16).ok()?
    } else if let Some((base, digits)) = digits.split_once('#') {
        i64::from_str_radix(digits, base.parse().ok().filter(|base| (2..=36).contains(base))?)
            .ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    } else {
        digits.parse().ok()?
    };
    Some(if negative { parsed.wrapping_neg() } else { parsed })
}

/// The value of an expression; an error is bash's message after the expression.
pub fn evaluate(text: &str, names: &mut dyn Names) -> Result<i64, String> {
    evaluate_at(text, names, 0)
}

const DEPTH_MAX: u32 = 50;

fn evaluate_at(text: &str, names: &mut dyn Names, depth: u32) -> Result<i64, String> {
    if depth > DEPTH_MAX {
        return Err(format!("{text}: expression recursion level exceeded"));
    }
    let mut parser = Parser {
        text,
        letters: text.chars().collect(),
        at: 0,
        names,
        depth,
        skip: 0,
        nested: 0,
        last: 0,
    };
    parser.blanks();
    if parser.at == parser.letters.len() {
        return Ok(0);
    }
    let value = parser.comma()?;
    parser.blanks();
    if parser.at < parser.letters.len() {
        return Err(parser.complain("syntax error in expression"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    letters: Vec<char>,
    at: usize,
    names: &'a mut dyn Names,
    depth: u32,
    /// Above zero: the value does not count (`&&`, `||`, `?:`), so nothing is assigned.
    skip: u32,
    nested: u32,
    /// Where the last operator or operand began.
    last: usize,
}

/// Binary operators by rising precedence.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Parser<'_> {
    fn complain(&self, what: &str) -> String {
        // At the end, the last piece read is to blame; so is a divisor.
        let at = if self.at >= self.letters.len() || what == "division by 0" {
            self.last
        } else {
            self.at
        };
        let rest: String = self.letters[at.min(self.letters.len())..].iter().collect();
        format!("{}: {what} (error token is \"{}\")", self.text, rest)
    }

    fn blanks(&mut self) {
        while self.letters.get(self.at).is_some_and(|letter| letter.is_whitespace()) {
            self.at += 1;
        }
    }

    fn sees(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(index, letter)| self.letters.get(self.at + index) == Some(&letter))
    }

    fn eat(&mut self, text: &str) -> bool {
        self.blanks();
        let found = self.sees(text);
        if found {
            self.last = self.at;
            self.at += text.len();
        }
        found
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&mut self) -> Option<String> {
        self.blanks();
        let start = self.at;
        while self.letters.get(self.at).is_some_and(|letter| {
            *letter == '_'
                || letter.is_ascii_alphabetic()
                || self.at > start && letter.is_ascii_digit()
        }) {
            self.at += 1;
        }
        if self.at > start {
            self.last = start;
        }
        (self.at > start).then(|| self.letters[start..self.at].iter().collect())
    }

    fn lookup(&mut self, name: &str) -> Result<i64, String> {
        let value = self.names.get(name);
        match literal(value.trim()) {
            Some(value) => Ok(value),
            None => evaluate_at(&value, self.names, self.depth + 1),
        }
    }

    fn assign(&mut self, name: &str, value: i64) {
        if self.skip == 0 {
            self.names.set(name, value);
        }
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.nested += 1;
        if self.nested > DEPTH_MAX {
            return Err(self.complain("expression recursion level exceeded"));
        }
        let value = self.assignment_inside();
        self.nested -= 1;
        value
    }

    fn assignment_inside(&mut self) -> Result<i64, String> {
        let start = self.at;
        if let Some(name) = self.name() {
            self.blanks();
            for operator in ["=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "|=", "^="] {
                if self.sees(operator) && !(operator == "=" && self.sees("==")) {
                    self.at += operator.len();
                    let right = self.assignment()?;
                    let value = match operator {
                        "=" => right,
                        _ => {
                            let left = self.lookup(&name)?;
                            self.apply(&operator[..operator.len() - 1], left, right)?
                        }
                    };
                    self.assign(&name, value);
                    return Ok(value);
                }
            }
        }
        self.at = start;
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        self.skip += u32::from(condition == 0);
        let yes = self.assignment()?;
        self.skip -= u32::from(condition == 0);
        if !self.eat(":") {
            return Err(self.complain("`:' expected for conditional expression"));
        }
        self.skip += u32::from(condition != 0);
        let no = self.assignment()?;
        self.skip -= u32::from(condition != 0);
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        loop {
            self.blanks();
            let longer = |operator: &str| {
                let next = self.letters.get(self.at + operator.len());
                matches!(
                    (operator, next),
                    ("|", Some('|')) | ("&", Some('&')) | ("<" | ">", Some('<' | '>'))
                ) || !matches!(operator, "==" | "!=" | "<=" | ">=") && next == Some(&'=')
                    || operator == "*" && next == Some(&'*')
            };
            let Some(operator) =
                operators.iter().find(|operator| self.sees(operator) && !longer(operator))
            else {
                return Ok(left);
            };
            self.last = self.at;
            self.at += operator.len();
            let short = matches!((*operator, left), ("&&", 0)) || *operator == "||" && left != 0;
            self.skip += u32::from(short);
            let right = self.binary(level + 1)?;
            self.skip -= u32::from(short);
            left = self.apply(operator, left, right)?;
        }
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64, String> {
        let division = |value: Option<i64>| match value {
            Some(value) => Ok(value),
            None if right == 0 && self.skip == 0 => Err(self.complain("division by 0")),
            None => Ok(0),
        };
        Ok(match operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => division((right != 0).then(|| left.wrapping_div(right)))?,
            "%" => division((right != 0).then(|| left.wrapping_rem(right)))?,
            _ => return Err(self.complain("syntax error: invalid arithmetic operator")),
        })
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if !self.eat("**") {
            return Ok(base);
        }
        self.nested += 1;
        if self.nested > DEPTH_MAX {
            return Err(self.complain("expression recursion level exceeded"));
        }
        let exponent = self.power()?;
        self.nested -= 1;
        match u32::try_from(exponent) {
            Ok(exponent) => Ok(base.wrapping_pow(exponent)),
            Err(_) => Err(self.complain("exponent less than 0")),
        }
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.nested += 1;
        if self.nested > DEPTH_MAX {
            return Err(self.complain("expression recursion level exceeded"));
        }
        let value = self.unary_inside();
        self.nested -= 1;
        value
    }

    fn unary_inside(&mut self) -> Result<i64, String> {
        for (operator, step) in [("++", 1), ("--", -1)] {
            let start = self.at;
            if self.eat(operator) {
                if let Some(name) = self.name() {
                    let value = self.lookup(&name)?.wrapping_add(step);
                    self.assign(&name, value);
                    return Ok(value);
                }
                self.at = start;
            }
        }
        if self.eat("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.eat("~") {
            return Ok(!self.unary()?);
        }
        if self.eat("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary();
        }
        if self.eat("(") {
            let value = self.comma()?;
            if !self.eat(")") {
                return Err(self.complain("missing `)'"));
            }
            return Ok(value);
        }
        self.blanks();
        if self.letters.get(self.at).is_some_and(char::is_ascii_digit) {
            let start = self.at;
            self.last = start;
            while self
                .letters
                .get(self.at)
                .is_some_and(|letter| letter.is_ascii_alphanumeric() || *letter == '#')
            {
                self.at += 1;
            }
            let digits: String = self.letters[start..self.at].iter().collect();
            return literal(&digits).ok_or_else(|| {
                self.at = start;
                self.complain("value too great for base")
            });
        }
        let Some(name) = self.name() else {
            return Err(self.complain("syntax error: operand expected"));
        };
        let value = self.lookup(&name)?;
        for (operator, step) in [("++", 1), ("--", -1)] {
            if self.eat(operator) {
                self.assign(&name, value.wrapping_add(step));
                return Ok(value);
            }
        }
        Ok(value)
    }
}
