"""nbgrader's settings of this course."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # nbgrader has it

c.CourseDirectory.course_id = "training-foundation-models"
# A stub that raises nothing, so that students can run all of a notebook from the start.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE"}
c.ClearSolutions.text_stub = "*YOUR ANSWER HERE*"
# Seconds for a cell: a submission without its folder run/ is trained again.
c.Execute.timeout = 600
# Zip files of students, named NAME.zip: the notebook and its run/, in a folder or not.
c.FileNameCollectorPlugin.named_regexp = r".*/extracted/(?P<student_id>[^/]+)/(?:week\d/)?(?P<file_id>.+)"
c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".json", ".jsonl", ".safetensors"]
