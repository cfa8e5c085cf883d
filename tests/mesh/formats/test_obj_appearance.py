from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from dressing import png

from facegen.mesh import material, read_mesh
from facegen.mesh.appearance import Appearance
from facegen.mesh.formats.io import read_appearance

OBJ = """mtllib skin.mtl
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 2 0 0
v 2 1 0
vt 0 0
vt .5 0 0
vt 0.5 1
vt 0 1
usemtl skin # the first
f 1/1 2/2 3/3 4/4
vt 0.6 0
vt 1 0
vt 1 1
usemtl gum and teeth
f 2/-3 5/-2 6/-1
usemtl skin
f 2/5 6/7/9 3/3
"""
MTL = "newmtl skin\nKd 1 0 0\nmap_Kd maps/skin.png\nnewmtl gum and teeth\nKd .25 .5 1\nd 0.5\n"
CORNERS = [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 2]]


def written(folder: Path, obj: str = OBJ, mtl: str = MTL) -> Path:
    (folder / "maps").mkdir(parents=True, exist_ok=True)
    (folder / "maps" / "skin.png").write_bytes(png())
    (folder / "skin.mtl").write_text(mtl if "newmtl gum" in mtl else f"{mtl}\nnewmtl gum and teeth\n")
    (folder / "face.obj").write_text(obj)
    return folder / "face.obj"


def read(path: Path) -> Appearance | None:
    return read_appearance(path, read_mesh(path))


def test_coordinates_and_materials_of_triangles(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert found.corners.tolist() == CORNERS
    np.testing.assert_allclose(found.uv, [[0, 0], [0.5, 0], [0.5, 1], [0, 1], [0.6, 0], [1, 0], [1, 1]])
    skin, gum = found.materials
    assert found.face_materials.tolist() == [0, 0, 1, 0]
    assert (skin.name, skin.color, skin.base.texture.data) == ("skin", None, png())
    assert (skin.base.texture.name, skin.base.texture.mime, skin.base.texture.suffix) == ("skin", "image/png", ".png")
    assert (gum.name, gum.color, gum.alpha, gum.alpha_mode, gum.base) == (
        "gum and teeth",
        (0.25, 0.5, 1.0),
        0.5,
        "BLEND",
        None,
    )
    assert found.left_out == ()


def test_a_part_may_have_no_material_or_no_coordinates(tmp_path: Path) -> None:
    obj = OBJ.replace("usemtl skin # the first\n", "").replace("2/-3 5/-2 6/-1", "2//1 5/-2 6/-1")
    found = read(written(tmp_path, obj))
    assert found.face_materials.tolist() == [-1, -1, 0, 1]
    assert [material.name for material in found.materials] == ["gum and teeth", "skin"]
    assert found.corners.tolist() == [*CORNERS[:2], [-1, -1, -1], CORNERS[3]]


def bare(obj: str) -> str:
    lines = [line.split("#")[0] for line in obj.splitlines() if not line.startswith("vt")]
    return "\n".join(" ".join(word.split("/")[0] for word in line.split(" ")) for line in lines)


def test_without_coordinates_colours_and_names_are_kept(tmp_path: Path) -> None:
    found = read(written(tmp_path, bare(OBJ)))
    assert (len(found.uv), (found.corners == -1).all(), found.materials[0].pictures) == (0, True, {})
    assert found.materials[1].color == (0.25, 0.5, 1.0)
    assert found.left_out == ("textures: there are no texture coordinates",)
    named = read(written(tmp_path, bare(OBJ), "newmtl other\nKd 1 1 1\n"))
    assert [material.name for material in named.materials] == ["skin", "gum and teeth"]
    assert read(written(tmp_path, bare(OBJ), "newmtl skin\nKd spectral file.rfl 1\n")).materials[0].color is None
    assert read(written(tmp_path, "\n".join(line for line in bare(OBJ).splitlines() if line[:3] != "use"))) is None


def test_statements_of_physical_materials(tmp_path: Path) -> None:
    mtl = "newmtl skin\nTr .25\nPr 0.3\nPm 1\nKe 2 .5 0\nnorm -bm 0.5 n.png\nmap_Ke -clamp on e e.png\nmap_Ks s.png\n"
    path = written(tmp_path, mtl=mtl + "map_d d.png\nmap_Kd -o 0 0 -s 1 1 1 maps\\skin.png\n")
    for name in ("n.png", "e e.png"):
        (tmp_path / name).write_bytes(png(1, 2, 3))
    found = read(path)
    skin = found.materials[0]
    assert (skin.alpha, skin.alpha_mode, skin.roughness, skin.metallic) == (0.75, "BLEND", 0.3, 1)
    assert skin.emissive == (1, 0.5, 0)
    assert skin.pictures["normal"].strength == 0.5
    assert skin.pictures["emissive"].wrap == ("clamp", "clamp")
    assert skin.pictures["emissive"].texture.name == "e e"
    assert skin.base.texture.data == png()
    assert sorted(found.left_out) == [
        "map_d of material 'skin': only the alpha of map_Kd's own picture is kept",
        "map_ks of material 'skin': there is no place for them",
    ]


def test_alpha_of_the_picture_itself(tmp_path: Path) -> None:
    found = read(written(tmp_path, mtl="newmtl skin\nmap_Kd maps/skin.png\nmap_d -imfchan m maps/skin.png\n"))
    assert (found.materials[0].alpha, found.materials[0].alpha_mode, found.left_out) == (1, "BLEND", ())


def test_a_bump_is_taken_where_the_picture_shows_normals(tmp_path: Path) -> None:
    mtl = "newmtl skin\nmap_Bump -bm 0.5 a.png\nnewmtl gum and teeth\nbump b.png\n"
    path = written(tmp_path, mtl=mtl)
    (tmp_path / "a.png").write_bytes(png(128, 128, 255))
    (tmp_path / "b.png").write_bytes(png(128, 128, 128))
    found = read(path)
    assert found.materials[0].pictures["normal"].strength == 0.5
    assert "normal" not in found.materials[1].pictures
    assert found.left_out == ("bump of material 'gum and teeth': heights; only maps of normals are kept",)


def test_a_map_of_normals_goes_before_a_bump(tmp_path: Path) -> None:
    path = written(tmp_path, mtl="newmtl skin\nmap_Bump height.png\nnorm n.png\n")
    (tmp_path / "n.png").write_bytes(png(1, 2, 3))
    found = read(path)
    assert found.materials[0].pictures["normal"].texture.data == png(1, 2, 3) and found.left_out == ()


def test_polygons_of_any_size_keep_their_material(tmp_path: Path) -> None:
    obj = OBJ.replace("usemtl gum and teeth\n", "f 1/1 2/2 5/3 6/4 3/1 4/2\nusemtl gum and teeth\nf 1 2 5 6 3\n")
    found = read(written(tmp_path, obj))
    assert found.face_materials.tolist() == [0] * 6 + [1] * 4 + [0]
    assert found.corners[2:6].tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 0], [0, 0, 1]]
    assert (found.corners[6:9] == -1).all()


def test_a_picture_that_is_moved_is_named(tmp_path: Path) -> None:
    found = read(written(tmp_path, mtl="newmtl skin\nmap_Kd -s 2 2 -o 0.5 maps/skin.png\n"))
    assert found.materials[0].base.texture.data == png()
    assert found.left_out == ("-o -s of map_kd of material 'skin': the picture is not moved",)


def test_colours_behind_positions(tmp_path: Path) -> None:
    lines = [f"{line} 1 0.5 {k / 10}" if line[:2] == "v " else line for k, line in enumerate(bare(OBJ).splitlines())]
    found = read(written(tmp_path, "\n".join(lines)))
    assert found.colors[:2].tolist() == [[255, 128, 26], [255, 128, 51]]
    larger = "\n".join(line.replace("1 0.5", "255 128") for line in lines)
    assert read(written(tmp_path, larger)).colors[0].tolist() == [255, 128, 0]
    for broken in (
        "\n".join([lines[0], lines[1][:7], *lines[2:]]),
        larger.replace("128", "999"),
    ):
        found = read(written(tmp_path, broken))
        assert found.colors is None and "colours of vertices: " in found.left_out[-1]


@pytest.mark.parametrize(
    ("mtl", "said"),
    [
        ("map_Kd ../secret.png", "does not lie in the mesh's folder"),
        ("map_Kd maps/../../secret.png", "does not lie in the mesh's folder"),
        ("map_Kd ..\\secret.png", "does not lie in the mesh's folder"),
        ("map_Kd /etc/passwd", "does not lie in the mesh's folder"),
        ("map_Kd C:\\secret.png", "does not lie in the mesh's folder"),
        ("map_Kd link.png", "does not lie in the mesh's folder"),
        ("norm ../secret.png", "does not lie in the mesh's folder"),
        ("map_Bump ../secret.png", "does not lie in the mesh's folder"),
        ("map_Ke ../secret.png", "does not lie in the mesh's folder"),
        ("map_Kd -s 1 1 1 nowhere.png", "'nowhere.png': no such file"),
        ("map_Kd -clamp on", "no such file"),
        ("map_Kd maps", "no such file"),
        ("map_Kd skin.mtl", "the texture 'skin.mtl': expected a texture in PNG or JPEG"),
        ("map_Kd " + "x" * 5000, "the texture 'xxx"),
    ],
)  # fmt: skip
def test_a_picture_from_elsewhere_is_left_out(tmp_path: Path, mtl: str, said: str) -> None:
    (tmp_path / "secret.png").write_bytes(png(128, 128, 255))
    path = written(tmp_path / "mesh", mtl=f"newmtl skin\nKd 1 0 0\n{mtl}\n")
    (tmp_path / "mesh" / "link.png").symlink_to(tmp_path / "secret.png")
    found = read(path)
    assert not found.materials[0].pictures
    assert len(found.left_out) == 1 and said in found.left_out[0], found.left_out
    assert found.corners.tolist() == CORNERS


def test_each_picture_is_read_once_and_all_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mtl = "newmtl skin\nmap_Kd maps/skin.png\nnewmtl gum and teeth\nmap_Kd .\\maps\\skin.png\n"
    one, two = read(written(tmp_path, mtl=mtl)).materials
    assert one.base.texture is two.base.texture
    monkeypatch.setattr(material, "LARGEST_ALBUM", 1)
    assert "all textures have more than" in read(written(tmp_path)).left_out[0]


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (OBJ.replace("2/5", "2/99"), "a corner uses a texture coordinate that is not there, of 7"),
        (OBJ.replace("2/5", "2/-9"), "an index points before the first"),
        (OBJ.replace("2/5", "2/0"), "an index points before the first"),
        (OBJ.replace("2/5", "2/" + "9" * 30), "they are no numbers"),
        (OBJ.replace("2/5", "2/5-1"), "an index is no whole number"),
        (OBJ.replace("2/5", "2/" + "9" * 5000), "texture coordinates: "),
        (OBJ.replace("vt .5 0 0", "vt .5"), "texture coordinates: "),
        (OBJ.replace("vt .5 0 0", "vt nan 0"), "not finite"),
        (OBJ.replace("vt .5 0 0", "vt a b"), "texture coordinates: "),
        (OBJ.replace("skin.mtl", "no.mtl"), "the material library 'no.mtl'"),
        (OBJ.replace("skin.mtl", "../none.mtl"), "does not lie in the mesh's folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, obj: str, said: str) -> None:
    found = read(written(tmp_path, obj))
    assert not found.materials[0].pictures
    assert any(said in reason for reason in found.left_out), found.left_out
    assert found.face_materials.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("said", "alpha"),
    [
        ("Tr 1.0", 1),  # as MeshLab and OpenMVS wrote for opaque
        ("Tr 0.999999", 1),
        ("d 0.000001", 0),
        ("Tr 0.75", 0.25),
        ("Tr 0", 1),
        ("d 0.5", 0.5),
        ("d 0.5\nTr 0.1", 0.5),
        ("d 1\nTr 1", 1),
        ("d 0\nTr 0", 1),
        ("d 0", 0),
        ("d 0\nTr 1", 0),
    ],
)  # fmt: skip
def test_of_two_readings_that_which_can_be_seen_is_taken(tmp_path: Path, said: str, alpha: float) -> None:
    found = read(written(tmp_path, mtl=f"newmtl skin\nKd 1 1 1\n{said}\n"))
    assert found.materials[0].alpha == pytest.approx(alpha)
    unseen = [reason for reason in found.left_out if "is not seen" in reason]
    assert unseen == ([] if alpha else ["material 'skin' has an opacity of 0: what has it is not seen"])


@pytest.mark.parametrize(
    "name",
    [
        "C:\\work\\head\\skin.png", "/home/somebody/head/maps/skin.png", "..\\textures\\skin.png", "MAPS/Skin.PNG",
        "file:///home/somebody/my%20head/skin.png",
        '"maps/skin.png"', "'maps/skin.png'", "maps\\SKIN.png", "./maps//skin.png",
    ],
)  # fmt: skip
def test_a_picture_of_another_machine_is_found_here(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, mtl=f"newmtl skin\nmap_Kd {name}\n")
    if "maps" not in name.lower():
        (tmp_path / "maps" / "skin.png").rename(tmp_path / "skin.png")
    found = read(path)
    assert found.materials[0].base.texture.data == png() and found.left_out == ()


def test_of_two_names_in_other_cases_none_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, mtl="newmtl skin\nmap_Kd maps/sKIN.png\n")
    (tmp_path / "maps" / "SKIN.png").write_bytes(png(1, 2, 3))
    assert "no such file" in read(path).left_out[0]


def test_a_library_in_a_folder_names_pictures_beside_itself(tmp_path: Path) -> None:
    path = written(tmp_path, OBJ.replace("skin.mtl", "look/skin.mtl"))
    (tmp_path / "look").mkdir()
    (tmp_path / "look" / "skin.png").write_bytes(png(1, 2, 3))
    (tmp_path / "look" / "skin.mtl").write_text(MTL.replace("maps/skin.png", "skin.png"))
    assert read(path).materials[0].base.texture.data == png(1, 2, 3)


@pytest.mark.parametrize(
    "line",
    [
        "eyes.mtl skin.mtl", "skin.mtl eyes.mtl", '"skin.mtl" "eyes.mtl"', "of the eyes.mtl skin.mtl", "SKIN.MTL",
        "C:\\work\\skin.mtl",
    ],
)  # fmt: skip
def test_several_libraries_on_a_line(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, OBJ.replace("skin.mtl", line))
    for name in ("eyes.mtl", "of the eyes.mtl"):
        (tmp_path / name).write_text("newmtl eye\nKd 0 0 1\n")
    found = read(path)
    assert found.materials[0].base.texture.data == png() and found.left_out == ()


def test_the_first_of_two_definitions_counts(tmp_path: Path) -> None:
    path = written(tmp_path, OBJ.replace("skin.mtl", "skin.mtl\nmtllib b.mtl"), MTL + "newmtl skin\nKd 0 1 0\n")
    (tmp_path / "b.mtl").write_text("newmtl skin\nKd 0 0 1\n")
    found = read(path).materials[0]
    assert found.base.texture.data == png() and found.color is None


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_names_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path)
    (tmp_path / "maps" / "skin.png").rename(tmp_path / "h\u00e4ut.png")
    path.write_bytes(OBJ.replace("usemtl skin", "usemtl h\u00e4ut").encode(encoding))
    mtl = MTL.replace("newmtl skin", "newmtl h\u00e4ut").replace("maps/skin.png", "h\u00e4ut.png")
    (tmp_path / "skin.mtl").write_bytes(mtl.encode(encoding))
    found = read(path)
    assert found.materials[0].name == "h\u00e4ut"
    assert found.materials[0].base.texture.data == png() and found.left_out == ()


def test_a_material_in_another_case_is_found_and_one_that_is_missing_is_said(tmp_path: Path) -> None:
    assert read(written(tmp_path, OBJ.replace("usemtl skin", "usemtl SKIN"))).materials[0].base.texture.data == png()
    found = read(written(tmp_path, OBJ.replace("usemtl skin", "usemtl hair")))
    assert found.left_out == ("material 'hair': its library does not hold it, but 'skin', 'gum and teeth'",)


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("skin#1.png", "map_Kd skin#1.png"),
        ("skin #2.png", "map_Kd skin #2.png"),
        ("skin.png", "map_Kd skin.png # painted"),
        ("skin.png", "map_Kd skin.png\t#painted"),
        ("skin.png", "\tmap_Kd\t-s\t1\t1\t1\t-clamp on\tskin.png\t"),
        ("my skin v2.png", 'map_Kd -bm 1 "my skin v2.png" # painted'),
        ("my skin v2.png", "map_Kd my%20skin%20v2.png"),
        ("my%20skin.png", "map_Kd my%20skin.png"),
    ],
)
def test_names_with_signs_and_statements_with_tabs(tmp_path: Path, file: str, statement: str) -> None:
    path = written(tmp_path, mtl=f"newmtl skin\n{statement}\n")
    (tmp_path / "maps" / "skin.png").rename(tmp_path / file)
    found = read(path)
    assert found.left_out == () and found.materials[0].base.texture.data == png()


def test_materials_that_are_numbered_behind_a_sign_are_not_one(tmp_path: Path) -> None:
    obj = OBJ.replace("usemtl skin", "usemtl Material #25")
    mtl = "newmtl Material #25\nKd 1 0 0 # red\nnewmtl Material #26\nKd 0 1 0 #2\nnewmtl gum and teeth\n"
    found = read(written(tmp_path, obj.replace("usemtl gum and teeth", "usemtl Material #26"), mtl))
    assert [material.name for material in found.materials] == ["Material #25", "Material #26"]
    assert [material.color for material in found.materials] == [(1, 0, 0), (0, 1, 0)]


@pytest.mark.parametrize(("named", "used"), [('"skin"', "skin"), ("skin", '"skin"'), ("'skin'", '"skin"')])
def test_quotes_are_no_part_of_a_material(tmp_path: Path, named: str, used: str) -> None:
    path = written(
        tmp_path, OBJ.replace("usemtl skin", f"usemtl {used}"), MTL.replace("newmtl skin", f"newmtl {named}")
    )
    found = read(path)
    assert found.left_out == () and found.materials[0].base.texture.data == png()


def test_a_library_whose_materials_no_face_names_is_said(tmp_path: Path) -> None:
    obj = "".join(line for line in OBJ.splitlines(keepends=True) if not line.startswith("usemtl"))
    said = "the library's materials 'skin', 'gum and teeth': no face names one with 'usemtl'"
    assert read(written(tmp_path, obj)).left_out == (said,)
    empty = written(tmp_path)
    (tmp_path / "skin.mtl").write_text("")
    assert read(empty).left_out[0] == "material 'skin': its library does not hold it, but no material"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_comment_that_ends_in_a_backslash_is_not_continued(tmp_path: Path, newline: str) -> None:
    path = written(tmp_path)
    path.write_bytes(OBJ.replace("usemtl gum", "# made in C:\\work\\\nusemtl gum").replace("\n", newline).encode())
    assert [material.name for material in read(path).materials] == ["skin", "gum and teeth"]


def test_colours_of_zbrush(tmp_path: Path) -> None:
    path = written(tmp_path, OBJ + "#MRGB FF0102030000ff80FF000000\n#MRGB ff000000ff000000ff0a0b0c\n")
    colors = read(path).colors
    assert colors[[0, 1, 5]].tolist() == [[1, 2, 3], [0, 255, 128], [10, 11, 12]]
    broken = read(written(tmp_path, OBJ + "#MRGB FF010203\n"))
    assert (
        broken.colors is None and "#MRGB needs eight hexadecimal digits for each of 6 vertices" in broken.left_out[-1]
    )


def test_a_line_is_no_face(tmp_path: Path) -> None:
    path = written(tmp_path, OBJ + "f 1 2\nf 3/3 4/4\nf 1\n")
    mesh, found = read_mesh(path), read(path)
    assert mesh.faces.shape == (4, 3) and found.corners.tolist() == CORNERS
    assert mesh.left_out == (f"line {len(OBJ.splitlines()) + 1}, and 2 more: a face of fewer than three corners",)


def test_libraries_are_read_once_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facegen.mesh.formats import obj_appearance

    path = written(tmp_path, OBJ.replace("skin.mtl", "skin.mtl\nmtllib SKIN.mtl\nmtllib a.mtl\nmtllib b.mtl"))
    monkeypatch.setattr(obj_appearance, "LIBRARIES", 2)
    found = read(path)
    assert found.materials[0].base.texture.data == png()
    assert found.left_out == ("the material library 'a.mtl' and those after it: 2 are read",)


@pytest.mark.parametrize(
    "odd", ["", "  vt 0 0", "vt x y", "f 1/1-1 2/1 3/1", "f 1/1 2/1 \\\n 3/1", "# a", "f 1/0 2/1 3/1"]
)
def test_what_is_done_does_not_grow_with_the_file(tmp_path: Path, odd: str) -> None:
    calls = []
    for edge in (4, 40):
        lines = [f"v {x} {y} 0\nvt {x} {y}" for y in range(edge) for x in range(edge)]
        corners = [y * edge + x + 1 for y in range(edge - 1) for x in range(edge - 1)]
        lines += [f"f {a}/{a} {a + 1}/{a + 1} {a + edge}/{a + edge}/1 {a + edge}/{a + edge}" for a in corners]
        path = tmp_path / f"{edge}.obj"
        path.write_text("\n".join([*lines, odd, "usemtl skin", lines[-1], ""]))
        mesh, count = read_mesh(path), [0]
        read_appearance(path, mesh)

        def counted(*_: object, count: list[int] = count) -> None:
            count[0] += 1

        sys.setprofile(counted)
        read_appearance(path, mesh)
        sys.setprofile(None)
        calls.append(count[0])
    assert calls[1] < calls[0] + 100, "nothing is done face by face"
