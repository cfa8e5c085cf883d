"""When and how much: labels, timelines, phases found in recordings, recorded takes."""
