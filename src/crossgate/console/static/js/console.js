// What every page loads. One idea a file; each finds its elements by data attributes.
import "./copy.js";
import "./import.js";
import "./keys.js";
import "./live.js";
import "./matrix.js";
import "./rows.js";
import "./toast.js";
import "./sheet.js";
import "./allow.js";
import "./session.js";
