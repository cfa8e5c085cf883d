"""Names that the studio's parts share; it imports nothing, so that the page is served before anything is loaded."""

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
"""Suffixes of photographs."""
SHOWN, CORNERS = "mesh.glb", "corners.bin"
"""The mesh as the page loads it, and which vertex of the stage each of its vertices is, uint32."""
SEEN = "seen.png"
"""What was seen of a face: its landmarks."""
FROM_PHOTO = "neutral.glb"
"""What a photograph becomes."""
MISTAKE = "facegen: error: "
"""What the line begins with in which a mistake is told, as the command line does it."""
STAGE = "stage: "
"""What a line begins with that says how far long work is."""
