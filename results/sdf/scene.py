#!/usr/bin/env python3
"""scene.py OUT.off MESH...: sets meshes (OFF, OBJ) side by side, each scaled to the same diagonal.

With y up they stand on one floor, in a row along x.
"""
import math
import sys


def read(path):
    points, triangles = [], []
    with open(path, encoding="ascii", errors="replace") as file:
        if path.endswith(".obj"):
            for line in file:
                words = line.split()
                if words[:1] == ["v"]:
                    points.append([float(w) for w in words[1:4]])
                elif words[:1] == ["f"]:
                    triangles.append([int(w.split("/")[0]) - 1 for w in words[1:4]])
        else:
            words = file.read().split()
            count, faces = int(words[1]), int(words[2])
            numbers = words[4:4 + 3 * count]
            points = [[float(w) for w in numbers[3 * i:3 * i + 3]] for i in range(count)]
            rest = words[4 + 3 * count:4 + 3 * count + 4 * faces]
            triangles = [[int(w) for w in rest[4 * i + 1:4 * i + 4]] for i in range(faces)]
    return points, triangles


def box(points):
    columns = list(zip(*points))
    return [min(c) for c in columns], [max(c) for c in columns]


def main():
    points, triangles, place = [], [], 0.0
    for path in sys.argv[2:]:
        mesh, corners = read(path)
        low, high = box(mesh)
        scale = 1 / math.dist(low, high)
        width = scale * (high[0] - low[0])
        triangles += [[len(points) + i for i in triangle] for triangle in corners]
        points += [[place + scale * (p[0] - low[0]), scale * (p[1] - low[1]),
                    scale * (p[2] - (low[2] + high[2]) / 2)] for p in mesh]
        place += width + 0.12
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f"OFF\n{len(points)} {len(triangles)} 0\n")
        file.writelines("%.7g %.7g %.7g\n" % tuple(p) for p in points)
        file.writelines("3 %d %d %d\n" % tuple(t) for t in triangles)


if __name__ == "__main__":
    main()
